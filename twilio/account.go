package twilio

import (
	"context"
	"net/http"
)

// Account is what Twilio says about an account. The answer holds the auth token; it is not kept.
type Account struct {
	SID, FriendlyName string
	Status            string // active, suspended or closed
}

// FetchAccount asks for the account itself. The error is an *Error.
func (c *Client) FetchAccount(ctx context.Context, cred Credentials) (Account, error) {
	a, err := c.messages(ctx, cred).FetchAccount(cred.AccountSID)
	if err != nil {
		return Account{}, result(err)
	}
	if text(a.Sid) != cred.AccountSID { // not Twilio's answer, or about another account
		return Account{}, &Error{Outcome: Unknown, Status: http.StatusOK, Cause: ErrUnreadable}
	}
	return Account{SID: text(a.Sid), FriendlyName: text(a.FriendlyName), Status: text(a.Status)}, nil
}
