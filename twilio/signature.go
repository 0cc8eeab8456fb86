package twilio

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's algorithm
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
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
	return string(sign(token, scheme+host+path, signedForm(form)))
}

func sign(token, address string, form []byte) []byte {
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = mac.Write([]byte(address))
	_, _ = mac.Write(form)
	return base64.StdEncoding.AppendEncode(nil, mac.Sum(nil))
}

// signedForm gives what is signed of a form: its names, sorted, each before each of its values, sorted and without doubles.
func signedForm(form url.Values) []byte {
	out := make([]byte, 0, 1024) // Twilio's are about that long
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := form[name]
		if len(values) > 1 {
			values = slices.Compact(slices.Sorted(slices.Values(values)))
		}
		for _, v := range values {
			out = append(append(out, name...), v...)
		}
	}
	return out
}

// Valid tells whether one of the tokens signed this call. During a rotation there are two. The address is the one that
// was given to Twilio: it is tried as it is first, then with or without the port that its scheme implies.
func Valid(tokens []string, address string, form url.Values, signature string) bool {
	if signature == "" {
		return false
	}
	text := signedForm(form)
	for _, candidate := range candidates(address) {
		for _, token := range tokens {
			if token != "" && hmac.Equal(sign(token, candidate, text), []byte(signature)) {
				return true
			}
		}
	}
	return false
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
	out := []string{scheme + host + path}
	port := ""
	switch scheme {
	case "http://":
		port = ":80"
	case "https://":
		port = ":443"
	default:
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
