package twilio_test

import (
	"net/url"
	"testing"

	"kanal/twilio"
)

const (
	benchToken   = "0123456789abcdef0123456789abcdef"
	benchAddress = "https://kanal.example.com/hooks/twilio/abcdefghijklmnop/inbound"
)

func benchForm() url.Values {
	return url.Values{
		"MessageSid": {"SM0123456789abcdef0123456789abcdef"}, "SmsSid": {"SM0123456789abcdef0123456789abcdef"},
		"SmsMessageSid": {"SM0123456789abcdef0123456789abcdef"}, "AccountSid": {"ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}, "From": {"whatsapp:+4790000007"},
		"To": {"whatsapp:+4721000000"}, "Body": {"When will my order arrive?"}, "NumMedia": {"0"}, "NumSegments": {"1"}, "SmsStatus": {"received"},
		"ApiVersion": {"2010-04-01"}, "MessageType": {"text"}, "ProfileName": {"Customer"}, "WaId": {"4790000007"}, "ReferralNumMedia": {"0"},
	}
}

// BenchmarkValid checks the signature of an inbound message.
func BenchmarkValid(b *testing.B) {
	form := benchForm()
	signature := twilio.Sign(benchToken, benchAddress, form)
	b.ReportAllocs()
	for b.Loop() {
		if !twilio.Valid([]string{benchToken}, benchAddress, form, signature) {
			b.Fatal("not valid")
		}
	}
}

// BenchmarkParseInbound reads the body of an inbound message.
func BenchmarkParseInbound(b *testing.B) {
	body := benchForm().Encode()
	b.ReportAllocs()
	for b.Loop() {
		form, err := url.ParseQuery(body)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := twilio.ParseInbound(form); err != nil {
			b.Fatal(err)
		}
	}
}
