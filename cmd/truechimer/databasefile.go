package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/go-sql-driver/mysql"
	"go.yaml.in/yaml/v3"
)

// databaseFile is where credentials may be kept instead of on the command line.
const databaseFile = "database.yaml"

// dsnOf is the DSN of the flag (or its environment variable), else that of database.yaml in the working folder, if any.
func dsnOf(flagged string) (string, error) {
	if flagged != "" {
		return flagged, nil
	}
	text, err := os.ReadFile(databaseFile)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", databaseFile, err)
	}
	return parseDatabaseFile(text)
}

// parseDatabaseFile reads the DSN from the text of database.yaml:
//
//	mysql:
//	  dsn: tcp(db.example.org:3306)/truechimer
//	  user: truechimer
//	  pass: secret
//
// User and password replace those in the DSN.
func parseDatabaseFile(text []byte) (string, error) {
	var file struct {
		MySQL struct {
			DSN  string `yaml:"dsn"`
			User string `yaml:"user"`
			Pass string `yaml:"pass"`
		} `yaml:"mysql"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		if _, is := errors.AsType[*yaml.TypeError](err); is {
			err = errors.New("it isn't as mysql: {dsn: ..., user: ..., pass: ...}") // the original shows what is in the file
		}
		return "", fmt.Errorf("read %s: %w", databaseFile, err)
	}
	config, err := mysql.ParseDSN(file.MySQL.DSN)
	if err != nil || file.MySQL.DSN == "" {
		return "", fmt.Errorf("read %s: mysql.dsn is missing or isn't user:password@tcp(host:3306)/database", databaseFile)
	}
	if file.MySQL.User != "" {
		config.User = file.MySQL.User
	}
	if file.MySQL.Pass != "" {
		config.Passwd = file.MySQL.Pass
	}
	return config.FormatDSN(), nil
}
