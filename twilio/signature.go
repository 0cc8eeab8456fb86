package twilio

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's algorithm
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// SignatureHeader carries the signature of a webhook.
const SignatureHeader = "X-Twilio-Signature"

// Sign gives the signature of a call: HMAC-SHA1, keyed with the account's auth token, over the address and the sorted
// names and values of the form. Fragment and userinfo of the address are not signed. A GET has no form.
func Sign(token, address string, form url.Values) string {
	scheme, host, path := split(address)
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = mac.Write([]byte(scheme + host + path))
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			_, _ = mac.Write([]byte(name))
			_, _ = mac.Write([]byte(v))
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Valid tells whether one of the tokens signed this call. During a rotation there are two. The address is the one that
// was given to Twilio: it is tried with and without the port that its scheme implies.
func Valid(tokens []string, address string, form url.Values, signature string) bool {
	if signature == "" {
		return false
	}
	ok := false
	for _, candidate := range candidates(address) {
		for _, token := range tokens {
			if token != "" && hmac.Equal([]byte(Sign(token, candidate, form)), []byte(signature)) {
				ok = true
			}
		}
	}
	return ok
}

// ValidBody is Valid for a call whose body is not a form: the address carries the body's SHA-256.
func ValidBody(tokens []string, address string, body []byte, signature string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(body)
	if !hmac.Equal([]byte(strings.ToLower(u.Query().Get("bodySHA256"))), []byte(hex.EncodeToString(sum[:]))) {
		return false
	}
	return Valid(tokens, address, nil, signature)
}

// candidates gives the forms of an address that Twilio may have signed: with and without the port that its scheme implies.
func candidates(address string) []string {
	scheme, host, path := split(address)
	port := map[string]string{"http://": ":80", "https://": ":443"}[scheme]
	out := []string{scheme + host + path}
	if port == "" {
		return out
	}
	if bare := strings.TrimSuffix(host, port); bare != host {
		return append(out, scheme+bare+path)
	}
	if i := strings.LastIndexByte(host, ':'); i < 0 || strings.HasSuffix(host, "]") {
		out = append(out, scheme+host+port+path)
	}
	return out
}

// split cuts an address into scheme with its slashes, host with its port, and the rest; fragment and userinfo are dropped.
func split(address string) (scheme, host, path string) {
	address, _, _ = strings.Cut(address, "#")
	scheme, host, ok := strings.Cut(address, "://")
	if !ok {
		return "", "", address
	}
	if i := strings.IndexAny(host, "/?"); i >= 0 {
		host, path = host[:i], host[i:]
	}
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	return scheme + "://", host, path
}
