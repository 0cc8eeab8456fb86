package twilio

import (
	"net/url"
	"testing"

	sdk "github.com/twilio/twilio-go/client"
)

const docToken = "12345"

const (
	ourToken = "0123456789abcdef0123456789abcdef"
	ourBody  = "SmsMessageSid=SM00000000000000000000000000000001&NumMedia=0&ProfileName=Ana+%C3%91&MessageType=text&SmsSid=SM00000000000000000000000000000001&WaId=5215512345678&SmsStatus=received&Body=Hola%2C+%C2%BFqu%C3%A9+tal%3F+%F0%9F%91%8D&To=whatsapp%3A%2B14155238886&NumSegments=1&ReferralNumMedia=0&MessageSid=SM00000000000000000000000000000001&AccountSid=AC00000000000000000000000000000000&From=whatsapp%3A%2B5215512345678&ApiVersion=2010-04-01"
)

func parse(t testing.TB, s string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSignatureVectors(t *testing.T) {
	doc := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675310"}, "Digits": {"1234"}, "From": {"+14158675310"}, "To": {"+18005551212"}}
	ours := parse(t, ourBody)
	tests := []struct {
		name, token, address string
		form                 url.Values
		signature            string
		want                 bool
	}{
		{"documentation", docToken, "https://example.com/myapp.php?foo=1&bar=2", doc, "L/OH5YylLD5NRKLltdqwSvS0BnU=", true},
		{"wrong token", "12346", "https://example.com/myapp.php?foo=1&bar=2", doc, "L/OH5YylLD5NRKLltdqwSvS0BnU=", false},
		{"another path", docToken, "https://example.com/myapp.php?foo=1&bar=3", doc, "L/OH5YylLD5NRKLltdqwSvS0BnU=", false},
		{"message", ourToken, "https://cc.example.com/webhooks/twilio/wa?tenant=7", ours, "Mx/eD1ct2Ub1lKtjKnjUP7vXhX0=", true},
		{"message, fragment and userinfo are not signed", ourToken, "https://me:pw@cc.example.com/webhooks/twilio/wa?tenant=7#rc=3", ours, "Mx/eD1ct2Ub1lKtjKnjUP7vXhX0=", true},
		{"signed with the default port", ourToken, "https://cc.example.com/webhooks/twilio/wa?tenant=7", ours, "ab2ULWqdxMBpYPoHMkx1Tzw17AQ=", true},
		{"our address has the default port", ourToken, "https://cc.example.com:443/webhooks/twilio/wa?tenant=7", ours, "Mx/eD1ct2Ub1lKtjKnjUP7vXhX0=", true},
		{"explicit other port", ourToken, "https://cc.example.com:8443/webhooks/twilio/wa", ours, "0tvwAwwY3NJXEug3x/j5bu+0L5s=", true},
		{"other port lost", ourToken, "https://cc.example.com/webhooks/twilio/wa", ours, "0tvwAwwY3NJXEug3x/j5bu+0L5s=", false},
		{"get", ourToken, "https://cc.example.com/hook?Body=hi+there&From=whatsapp%3A%2B1555", nil, "WAGtpwXWqPHx0krCeT8GLGX4fpQ=", true},
		{"empty signature", ourToken, "https://cc.example.com/hook", nil, "", false},
	}
	for _, tt := range tests {
		if got := Valid([]string{tt.token}, tt.address, tt.form, tt.signature); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSignatureVectorsOfTheLibrary(t *testing.T) {
	form := url.Values{
		"Digits": {"1234"}, "CallSid": {"CA1234567890ABCDE"}, "To": {"+18005551212"}, "Caller": {"+14158675309"},
		"From": {"+14158675309"}, "ReasonConferenceEnded": {"test"}, "Reason": {"Participant"},
	}
	flat := map[string]string{}
	for k, v := range form {
		flat[k] = v[0]
	}
	v := sdk.NewRequestValidator(docToken)
	for _, tt := range []struct {
		address, signature string
		want               bool
	}{
		{"https://mycompany.com/myapp.php?foo=1&bar=2", "vOEb5UThFn24KEfnOFLQY2AE5FY=", true},
		{"http://mycompany.com/myapp.php?foo=1&bar=2", "n2xBNyzSW7rfYStDtOFiFMv7qNo=", true},
		{"https://mycompany.com/myapp.php?foo=1&bar=2", "95+Bu0JVPi0r/SsESZCVf0dWAjw=", false},
	} {
		got, theirs := Valid([]string{docToken}, tt.address, form, tt.signature), v.Validate(tt.address, flat, tt.signature)
		if got != tt.want || theirs != tt.want {
			t.Errorf("%s %s: ours %v, the library's %v, want %v", tt.address, tt.signature, got, theirs, tt.want)
		}
	}
	if !Valid([]string{docToken}, "https://mycompany.com/myapp.php?foo=1&bar=2", url.Values{"property": {"value"}, "boolean": {"true"}}, "NBdBDr/T/lgjI+tlgpXjKZQZs/k=") {
		t.Error("form body")
	}
}

func TestSignatureOfABody(t *testing.T) {
	const address = "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
	body := []byte(`{"property": "value", "boolean": true}`)
	if !ValidBody([]string{docToken}, address, body, "a9nBmqA0ju/hNViExpshrM61xv4=") {
		t.Error("documented body")
	}
	if ValidBody([]string{docToken}, address, append(body, ' '), "a9nBmqA0ju/hNViExpshrM61xv4=") {
		t.Error("a changed body passes")
	}
	const alone = "https://mycompany.com/myapp.php?bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
	if !ValidBody([]string{docToken}, alone, body, "y77kIzt2vzLz71DgmJGsen2scGs=") {
		t.Error("documented body without other parameters")
	}
	const ours = "https://cc.example.com/hook?bodySHA256=3103db2657a10ebdc4537d54a08114498db55ed4ab5e4e6955ed26b3e2dbc2fd"
	if !ValidBody([]string{ourToken}, ours, []byte(`{"a":1,"t":"é"}`), "BSAaMZfPfL2VUp4dtHriVDo6xJo=") {
		t.Error("our body")
	}
}

func TestSignatureRotationAndRepeatedKeys(t *testing.T) {
	form := parse(t, ourBody)
	signature := Sign(ourToken, "https://x.example/h", form)
	if !Valid([]string{"other", ourToken}, "https://x.example/h", form, signature) || Valid([]string{"other", ""}, "https://x.example/h", form, signature) {
		t.Error("with two tokens either signs, and no other")
	}
	if !Valid([]string{"other", ourToken}, "https://cc.example.com/webhooks/twilio/wa?tenant=7", form, "ab2ULWqdxMBpYPoHMkx1Tzw17AQ=") {
		t.Error("with two tokens the second signs the address with its port too")
	}
	a := Sign(ourToken, "https://x.example/h", url.Values{"M": {"2", "1", "2"}})
	b := Sign(ourToken, "https://x.example/h", url.Values{"M": {"1", "2"}})
	if a != b || a == Sign(ourToken, "https://x.example/h", url.Values{"M": {"1"}}) {
		t.Error("repeated names are sorted, without doubles, and all signed")
	}
}
