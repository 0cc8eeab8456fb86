package twilio

import (
	"context"
	"net/http"
	"time"
)

// Account is what Twilio says about an account. The answer holds the auth token; it is not kept.
type Account struct {
	SID, FriendlyName string
	Status            string    // active, suspended or closed
	Date              time.Time // Twilio's clock when it answered; zero when it did not say
}

// FetchAccount asks for the account itself. The error is an *Error.
func (c *Client) FetchAccount(ctx context.Context, cred Credentials) (Account, error) {
	said, err := c.messages(ctx, cred).FetchAccountWithMetadata(cred.AccountSID)
	if err != nil {
		return Account{}, result(err)
	}
	a := said.GetResource()
	date, _ := http.ParseTime(said.GetHeaders().Get("Date"))
	if text(a.Sid) != cred.AccountSID { // not Twilio's answer, or about another account
		return Account{}, &Error{Outcome: Unknown, Status: http.StatusOK, Cause: ErrUnreadable}
	}
	return Account{SID: text(a.Sid), FriendlyName: text(a.FriendlyName), Status: text(a.Status), Date: date}, nil
}
