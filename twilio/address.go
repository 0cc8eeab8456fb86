package twilio

import (
	"regexp"
	"strings"
)

// Address is a party on WhatsApp as Twilio writes it: whatsapp:+4790000000, or whatsapp:NO.… for a customer whose
// number is hidden (a business-scoped user id, BSUID).
type Address string

const prefix = "whatsapp:"

var (
	phonePattern = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	bsuidPattern = regexp.MustCompile(`^[A-Z]{2}\.([A-Z]{3}\.)?[0-9A-Za-z]{1,128}$`)
	sidPattern   = regexp.MustCompile(`^(SM|MM)[0-9a-fA-F]{32}$`)
	// AccountSIDPattern is the form of an account SID.
	AccountSIDPattern = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	// PhonePattern is the form of a number: E.164 with the plus sign.
	PhonePattern = phonePattern
)

// Phone gives the number in E.164, or "" when the address is not one.
func (a Address) Phone() string {
	s := strings.TrimPrefix(string(a), prefix)
	if s == string(a) || !phonePattern.MatchString(s) {
		return ""
	}
	return s
}

// BSUID gives the business-scoped user id, or "" when the address is not one.
func (a Address) BSUID() string {
	s := strings.TrimPrefix(string(a), prefix)
	if s == string(a) || !bsuidPattern.MatchString(s) {
		return ""
	}
	return s
}

// PhoneAddress gives the address of a number.
func PhoneAddress(e164 string) Address { return Address(prefix + e164) }
