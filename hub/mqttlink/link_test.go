package mqttlink

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A broker's URL says where it is and whether with TLS; what it may not say is one clear error.
func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{
		"tcp://127.0.0.1:1884":           "tcp://127.0.0.1:1884",
		"mqtt://broker.example":          "tcp://broker.example:1883",
		"mqtt://[2001:db8::1]":           "tcp://[2001:db8::1]:1883",
		"ssl://broker.example":           "tls://broker.example:8883",
		"tls://broker.example:443":       "tls://broker.example:443",
		"mqtts://user:secret@b.example/": "tls://b.example:8883",
	} {
		have, err := parseURL(text)
		if err != nil || have.String() != want {
			t.Errorf("%s: have %v and error %v, want %s", text, have, err, want)
		}
	}
	for _, text := range []string{"", "localhost:1883", "http://broker.example", "ws://broker.example", "tcp://", "tcp://:1883", "tcp://a b", "%", "mqtt://a:0", "mqtt://a:65536", "http://me:secret@a", "mqtt://me:secret@a:b"} {
		have, err := parseURL(text)
		if err == nil || !strings.Contains(err.Error(), "want mqtt://host:1883") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: have %s and %v, want an error that says what it should be, without the password", text, have, err)
		}
	}
}

// A connection is renewed before its token expires, and one whose token can't tell never is.
func TestRenewal(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	claims := jwt.RegisteredClaims{ExpiresAt: jwt.NewNumericDate(noon.Add(100 * time.Minute))}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if have, ok := renewalOf(text, noon.Add(10*time.Minute)); !ok || !have.Equal(noon.Add(91*time.Minute)) {
		t.Errorf("ten minutes in: have %s, %v, want after nine tenths of the rest", have, ok)
	}
	if have, ok := renewalOf(text, noon.Add(100*time.Minute)); ok {
		t.Errorf("expired: have %s, want none", have)
	}
	for _, password := range []string{"", "secret", "a.b.c", "e30.e30.e30"} {
		if have, ok := renewalOf(password, noon); ok {
			t.Errorf("%q: have %s, want none", password, have)
		}
	}
}
