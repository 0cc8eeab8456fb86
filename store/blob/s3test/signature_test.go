package s3test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// The keys, requests and signatures of the examples that the protocol's documentation publishes (Amazon S3 API
// reference, "Signature Calculations for the Authorization Header": single chunk and multiple chunks).
var published = Keys{Access: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", Region: "us-east-1"}

type example struct {
	name, method, path, headers, body, signature string
}

var examples = []example{
	{"get object", "GET", "/test.txt", "Range: bytes=0-9\nX-Amz-Content-Sha256: " + emptyHash, "", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
	{
		"put object", "PUT", "/test$file.text",
		"Date: Fri, 24 May 2013 00:00:00 GMT\nX-Amz-Storage-Class: REDUCED_REDUNDANCY\nX-Amz-Content-Sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
		"Welcome to Amazon S3.", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
	},
	{"get bucket lifecycle", "GET", "/?lifecycle", "X-Amz-Content-Sha256: " + emptyHash, "", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
	{"list objects", "GET", "/?max-keys=2&prefix=J", "X-Amz-Content-Sha256: " + emptyHash, "", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
}

func (e example) request() *http.Request {
	r := httptest.NewRequest(e.method, "http://examplebucket.s3.amazonaws.com"+e.path, strings.NewReader(e.body))
	names := []string{"host", "x-amz-date"}
	for line := range strings.SplitSeq(e.headers, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	r.Header.Set("X-Amz-Date", "20130524T000000Z")
	r.Header.Set("Authorization", algorithm+" Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders="+
		strings.Join(names, ";")+", Signature="+e.signature)
	return r
}

var then = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)

func TestPublishedExamples(t *testing.T) {
	for _, e := range examples {
		body, err := published.Verify(e.request(), then)
		if err != nil || string(body) != e.body {
			t.Errorf("%s: %q, %v", e.name, body, err)
		}
	}
}

// chunked is the published example of a stream in chunks: 66560 bytes as 65536, 1024 and 0.
func chunked() example {
	signatures := []string{
		"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
		"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
		"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
	}
	body := "10000;chunk-signature=" + signatures[0] + "\r\n" + strings.Repeat("a", 65536) + "\r\n" +
		"400;chunk-signature=" + signatures[1] + "\r\n" + strings.Repeat("a", 1024) + "\r\n" +
		"0;chunk-signature=" + signatures[2] + "\r\n\r\n"
	return example{
		"stream", "PUT", "/examplebucket/chunkObject.txt",
		"Content-Encoding: aws-chunked\nContent-Length: 66824\nX-Amz-Content-Sha256: " + streaming +
			"\nX-Amz-Decoded-Content-Length: 66560\nX-Amz-Storage-Class: REDUCED_REDUNDANCY",
		body, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	}
}

func streamRequest(e example) *http.Request {
	r := e.request()
	r.Host = "s3.amazonaws.com"
	return r
}

func TestPublishedStream(t *testing.T) {
	body, err := published.Verify(streamRequest(chunked()), then)
	if err != nil || len(body) != 66560 {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
}

// TestWrongSignatures shows that each part of a request is held by its signature.
func TestWrongSignatures(t *testing.T) {
	get, put := examples[0], examples[1]
	for name, change := range map[string]func() (*http.Request, time.Time){
		"no signature":   func() (*http.Request, time.Time) { r := get.request(); r.Header.Del("Authorization"); return r, then },
		"another path":   func() (*http.Request, time.Time) { r := get.request(); r.URL.Path = "/other.txt"; return r, then },
		"another query":  func() (*http.Request, time.Time) { r := get.request(); r.URL.RawQuery = "a=b"; return r, then },
		"another method": func() (*http.Request, time.Time) { r := get.request(); r.Method = "DELETE"; return r, then },
		"another host":   func() (*http.Request, time.Time) { r := get.request(); r.Host = "evil.example"; return r, then },
		"another header": func() (*http.Request, time.Time) {
			r := get.request()
			r.Header.Set("Range", "bytes=0-")
			return r, then
		},
		"a header more": func() (*http.Request, time.Time) {
			r := get.request()
			r.Header.Set("X-Amz-Acl", "public")
			return r, then
		},
		"another content": func() (*http.Request, time.Time) {
			e := put
			e.body = "Welcome to Amazon S4."
			return e.request(), then
		},
		"too late": func() (*http.Request, time.Time) { return get.request(), then.Add(time.Hour) },
		"no hash over http": func() (*http.Request, time.Time) {
			e := put
			e.headers, e.signature = "X-Amz-Content-Sha256: "+unsigned, "x"
			r := e.request()
			sign(r, published)
			return r, then
		},
		"another key": func() (*http.Request, time.Time) {
			r := get.request()
			sign(r, Keys{published.Access, "guessed", "us-east-1"})
			return r, then
		},
		"another region": func() (*http.Request, time.Time) {
			r := get.request()
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "us-east-1", "eu-west-1", 1))
			return r, then
		},
	} {
		r, at := change()
		if _, err := published.Verify(r, at); err == nil {
			t.Errorf("%s: was let in", name)
		}
	}
	for name, change := range map[string][2]string{
		"another chunk":       {"aaaa\r\n0;", "aaab\r\n0;"},
		"a chunk left out":    {"0;chunk", "0;skipped"},
		"another chunk's key": {"ad80c730", "ad80c731"},
		"a size too large":    {"400;", "800;"},
	} {
		e := chunked()
		e.body = strings.Replace(e.body, change[0], change[1], 1)
		r := streamRequest(e)
		if _, err := published.Verify(r, then); err == nil {
			t.Errorf("stream with %s: was let in", name)
		}
	}
}

// sign signs a request anew with keys.
func sign(r *http.Request, k Keys) {
	given := r.Header.Get("Authorization")
	_, rest, _ := strings.Cut(given, "SignedHeaders=")
	names, _, _ := strings.Cut(rest, ",")
	s := signed{date: r.Header.Get("X-Amz-Date"), scope: "20130524/us-east-1/s3/aws4_request", key: k.signingKey("20130524")}
	signature := s.sign(algorithm, hashOf([]byte(canonical(r, strings.Split(names, ";")))))
	head, _, _ := strings.Cut(given, "Signature=")
	r.Header.Set("Authorization", head+"Signature="+signature)
}
