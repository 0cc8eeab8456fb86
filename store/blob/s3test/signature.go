package s3test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Keys are what a client signs with: Signature Version 4 of Amazon's.
type Keys struct{ Access, Secret, Region string }

// Values of X-Amz-Content-Sha256 that are no hash.
const (
	unsigned  = "UNSIGNED-PAYLOAD"
	streaming = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	timeForm  = "20060102T150405Z"
	maxSkew   = 15 * time.Minute
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

var (
	errUnsigned  = errors.New("the request is not signed")
	errSignature = errors.New("the signature is wrong")
	errPayload   = errors.New("the content is not what was signed")
)

// signed is a request whose headers' signature is right.
type signed struct {
	date      string // as in X-Amz-Date
	scope     string
	signature string
	key       []byte
}

// Verify checks a request's signature and gives its content as it was meant: chunks of a signed stream are checked and
// put together.
func (k Keys) Verify(r *http.Request, now time.Time) ([]byte, error) {
	s, err := k.verifyHeaders(r, now)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	switch hash := r.Header.Get("X-Amz-Content-Sha256"); hash {
	case streaming:
		return s.chunks(body, r.Header.Get("X-Amz-Decoded-Content-Length"))
	case unsigned:
		if r.TLS == nil && len(body) > 0 {
			return nil, errPayload
		}
	default:
		if hashOf(body) != hash {
			return nil, errPayload
		}
	}
	return body, nil
}

func (k Keys) verifyHeaders(r *http.Request, now time.Time) (signed, error) {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm+" ")
	if !ok {
		return signed{}, errUnsigned
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(given, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(timeForm, date)
	if err != nil || at.Sub(now).Abs() > maxSkew {
		return signed{}, errors.New("the time of the signature is not now")
	}
	s := signed{date: date, scope: strings.Join([]string{date[:8], k.Region, "s3", "aws4_request"}, "/")}
	if parts["Credential"] != k.Access+"/"+s.scope {
		return signed{}, errors.New("the credential is not known here")
	}
	names := strings.Split(parts["SignedHeaders"], ";")
	if err := complete(r, names); err != nil {
		return signed{}, err
	}
	s.key = k.signingKey(date[:8])
	s.signature = s.sign(algorithm, hashOf([]byte(canonical(r, names))))
	if !hmac.Equal([]byte(s.signature), []byte(parts["Signature"])) {
		return signed{}, errSignature
	}
	return s, nil
}

// complete holds that nothing that must be signed was left out.
func complete(r *http.Request, names []string) error {
	must := []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") || name == "content-type" {
			must = append(must, name)
		}
	}
	for _, name := range must {
		if !slices.Contains(names, name) {
			return fmt.Errorf("the header %s is not signed", name)
		}
	}
	return nil
}

// canonical writes a request the way it is signed.
func canonical(r *http.Request, names []string) string {
	var headers strings.Builder
	for _, name := range names {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		headers.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	var query []string
	for name, values := range r.URL.Query() {
		for _, v := range values {
			query = append(query, encode(name, "")+"="+encode(v, ""))
		}
	}
	slices.Sort(query)
	return strings.Join([]string{
		r.Method, encode(r.URL.Path, "/"), strings.Join(query, "&"), headers.String(), strings.Join(names, ";"),
		r.Header.Get("X-Amz-Content-Sha256"),
	}, "\n")
}

// encode writes a text as the protocol asks for; what is in keep stays as it is.
func encode(s, keep string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~"+keep, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func (k Keys) signingKey(day string) []byte {
	key := []byte("AWS4" + k.Secret)
	for _, part := range []string{day, k.Region, "s3", "aws4_request"} {
		key = mac(key, part)
	}
	return key
}

// sign signs lines under an algorithm, the time and the scope.
func (s signed) sign(algorithm string, lines ...string) string {
	text := strings.Join(append([]string{algorithm, s.date, s.scope}, lines...), "\n")
	return hex.EncodeToString(mac(s.key, text))
}

// chunks checks the signature of each chunk, which covers that of the chunk before, and puts them together.
func (s signed) chunks(body []byte, length string) ([]byte, error) {
	in, before := bufio.NewReader(bytes.NewReader(body)), s.signature
	var all []byte
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, errPayload
		}
		size, signature, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ";chunk-signature=")
		n, err := strconv.ParseUint(size, 16, 32)
		if err != nil || !ok {
			return nil, errPayload
		}
		chunk := make([]byte, n+2)
		if _, err := io.ReadFull(in, chunk); err != nil || string(chunk[n:]) != "\r\n" {
			return nil, errPayload
		}
		chunk = chunk[:n]
		before = s.sign("AWS4-HMAC-SHA256-PAYLOAD", before, emptyHash, hashOf(chunk))
		if before != signature {
			return nil, errSignature
		}
		all = append(all, chunk...)
		if n == 0 {
			break
		}
	}
	if strconv.Itoa(len(all)) != length {
		return nil, errPayload
	}
	return all, nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
