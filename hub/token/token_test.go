package token_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"truechimer/hub/token"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB) token.Key {
	t.Helper()
	key, err := token.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func agentGrant(t testing.TB) token.Grant {
	t.Helper()
	grant, err := token.ForAgent("test", "uslax1")
	if err != nil {
		t.Fatal(err)
	}
	return grant
}

func sign(t testing.TB, key token.Key, life time.Duration) string {
	t.Helper()
	text, err := token.NewSigner(key).Sign(agentGrant(t), noon, life)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What was signed is what is read, until its last second.
func TestATokenSaysWhatWasGranted(t *testing.T) {
	key := newKey(t)
	text := sign(t, key, time.Hour)
	verifier := token.NewVerifier(newKey(t).Public(), key.Public())
	for name, at := range map[string]time.Time{"at once": noon, "in its last second": noon.Add(time.Hour - time.Second)} {
		have, err := verifier.Verify(text, at)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want := token.Claims{Grant: agentGrant(t), Until: noon.Add(time.Hour)}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s (-want +have):\n%s", name, diff)
		}
	}
}

// A token that we didn't make for this purpose, or that has run out, is worth nothing.
func TestOtherTokensAreRefused(t *testing.T) {
	key := newKey(t)
	verifier := token.NewVerifier(key.Public())
	own := jwt.MapClaims{
		"iss": "truechimer", "aud": "mqtt", "sub": "uslax1", "exp": noon.Add(time.Hour).Unix(),
		"subs": []string{"#"}, "publ": []string{"#"},
	}
	if _, err := verifier.Verify(forge(t, key, own), noon); err != nil {
		t.Fatalf("the pattern of the forged ones is refused itself: %v", err)
	}
	for name, text := range map[string]string{
		"empty":               "",
		"not a token":         "a.b.c",
		"expired":             forge(t, key, with(own, "exp", noon.Unix())),
		"without expiry":      forge(t, key, with(own, "exp", nil)),
		"of another issuer":   forge(t, key, with(own, "iss", "ntpmon")),
		"for another purpose": forge(t, key, with(own, "aud", "api")),
		"without a name":      forge(t, key, with(own, "sub", "")),
		"with a colon":        forge(t, key, with(own, "sub", "uslax1:more")),
		"with a broken right": forge(t, key, with(own, "subs", []string{"/p/#/s"})),
		"of another key":      sign(t, newKey(t), time.Hour),
		"under a false name":  forgeUnder(t, newKey(t), key.Public().ID(), own),
		"unsigned":            unsigned(t, key.Public().ID(), own),
		"signed with HMAC":    hashed(t, key.Public(), own),
		"changed":             changed(t, sign(t, key, time.Hour)),
	} {
		if claims, err := verifier.Verify(text, noon); err == nil {
			t.Errorf("%s: have %+v, want it refused", name, claims)
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error repeats the token: %v", name, err)
		}
	}
}

func with(claims jwt.MapClaims, name string, value any) jwt.MapClaims {
	changed := jwt.MapClaims{}
	for k, v := range claims {
		changed[k] = v
	}
	changed[name] = value
	if value == nil {
		delete(changed, name)
	}
	return changed
}

func private(t testing.TB, key token.Key) ed25519.PrivateKey {
	t.Helper()
	text, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.(ed25519.PrivateKey)
}

func forge(t testing.TB, key token.Key, claims jwt.MapClaims) string {
	return forgeUnder(t, key, key.Public().ID(), claims)
}

func forgeUnder(t testing.TB, key token.Key, kid string, claims jwt.MapClaims) string {
	return signed(t, jwt.SigningMethodEdDSA, private(t, key), kid, claims)
}

func unsigned(t testing.TB, kid string, claims jwt.MapClaims) string {
	return signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, kid, claims)
}

func hashed(t testing.TB, key token.PublicKey, claims jwt.MapClaims) string {
	return signed(t, jwt.SigningMethodHS256, []byte(key), key.ID(), claims)
}

func signed(t testing.TB, method jwt.SigningMethod, key any, kid string, claims jwt.MapClaims) string {
	t.Helper()
	unsigned := jwt.NewWithClaims(method, claims)
	unsigned.Header["kid"] = kid
	text, err := unsigned.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// changed gives the token's owner another name and leaves the signature.
func changed(t testing.TB, text string) string {
	t.Helper()
	parts := strings.Split(text, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims = []byte(strings.ReplaceAll(string(claims), "uslax1", "defra1"))
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString(claims) + "." + parts[2]
}

// A key can be replaced in use: first both hold, then the new one alone.
func TestKeysRotate(t *testing.T) {
	before, after := newKey(t), newKey(t)
	verifier := token.NewVerifier(before.Public())
	accepted := func(key token.Key) bool {
		_, err := verifier.Verify(sign(t, key, time.Hour), noon)
		return err == nil
	}
	if !accepted(before) || accepted(after) {
		t.Error("before: want the old key alone")
	}
	verifier.Replace(after.Public(), before.Public())
	if !accepted(before) || !accepted(after) {
		t.Error("in between: want both keys")
	}
	verifier.Replace(after.Public())
	if accepted(before) || !accepted(after) {
		t.Error("after: want the new key alone")
	}
}

// A grant that would be refused when it is used is refused when it is made.
func TestNonsenseIsNotSigned(t *testing.T) {
	signer := token.NewSigner(newKey(t))
	for name, sign := range map[string]func() (string, error){
		"no name": func() (string, error) { return signer.Sign(token.Grant{}, noon, time.Hour) },
		"broken right": func() (string, error) {
			return signer.Sign(token.Grant{Name: "a", Publ: []string{"a#"}}, noon, time.Hour)
		},
		"no life": func() (string, error) { return signer.Sign(agentGrant(t), noon, 0) },
		"no key":  func() (string, error) { return token.Signer{}.Sign(agentGrant(t), noon, time.Hour) },
	} {
		if text, err := sign(); err == nil {
			t.Errorf("%s: have %s, want an error", name, text)
		}
	}
}

// A key that was kept and read again signs and verifies as before.
func TestAKeySurvivesBeingKept(t *testing.T) {
	key := newKey(t)
	text, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	again, err := token.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	if key.Public().ID() != again.Public().ID() {
		t.Errorf("have id %s, want %s", again.Public().ID(), key.Public().ID())
	}
	if _, err := token.NewVerifier(key.Public()).Verify(sign(t, again, time.Hour), noon); err != nil {
		t.Error(err)
	}
}

// What is no Ed25519 key isn't taken for one.
func TestOtherKeysAreRefused(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"nothing":    nil,
		"text":       []byte("secret"),
		"other PEM":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		"broken":     pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der[:10]}),
		"other kind": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	} {
		if _, err := token.ParseKey(text); !errors.Is(err, token.ErrKey) {
			t.Errorf("%s: have error %v, want %v", name, err, token.ErrKey)
		}
	}
	if text, err := (token.Key{}).PEM(); !errors.Is(err, token.ErrKey) {
		t.Errorf("no key: have %s and error %v, want %v", text, err, token.ErrKey)
	}
}

// A key's id is its thumbprint, with the example of RFC 8037 appendix A.3.
func TestAKeysIDIsItsThumbprint(t *testing.T) {
	key, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	if err != nil {
		t.Fatal(err)
	}
	if have, want := token.PublicKey(key).ID(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"; have != want {
		t.Errorf("have %s, want %s", have, want)
	}
}

// The published set holds each public key in the form of RFC 8037 appendix A.2, and no private one.
func TestThePublishedKeysAreTheVerifiersOwn(t *testing.T) {
	first, second := newKey(t), newKey(t)
	text, err := token.NewVerifier(first.Public(), second.Public()).KeySet()
	if err != nil {
		t.Fatal(err)
	}
	var have struct{ Keys []map[string]string }
	if err := json.Unmarshal(text, &have); err != nil {
		t.Fatal(err)
	}
	var want []map[string]string
	for _, key := range []token.PublicKey{first.Public(), second.Public()} {
		want = append(want, map[string]string{
			"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(key),
			"kid": key.ID(), "use": "sig", "alg": "EdDSA",
		})
	}
	if diff := cmp.Diff(want, have.Keys); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
}

// No text, however odd, is taken for a token that we didn't sign, or stops the verifier.
func FuzzVerify(f *testing.F) {
	key, other := newKey(f), newKey(f)
	verifier := token.NewVerifier(key.Public())
	f.Add(sign(f, other, time.Hour))
	f.Add("e30.e30.")
	f.Add(unsigned(f, key.Public().ID(), jwt.MapClaims{"sub": "a"}))
	f.Fuzz(func(t *testing.T, text string) {
		if claims, err := verifier.Verify(text, noon); err == nil {
			t.Errorf("%q was taken for %+v", text, claims)
		}
	})
}
