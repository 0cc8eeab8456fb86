package twilio

import (
	"context"

	accounts "github.com/twilio/twilio-go/rest/accounts/v1"
)

// An account has a primary auth token, which signs its webhooks, and while it is rotated a secondary one. Both
// authenticate requests. Promoting the secondary one makes it the primary; the old one is then dead at once
// (Twilio: Auth Tokens and how to change them).

func (c *Client) tokens(ctx context.Context, cred Credentials) *accounts.ApiService {
	return accounts.NewApiService(c.handler(ctx, cred))
}

// CreateSecondaryToken makes the account's secondary token; one that was there is replaced. The error is an *Error.
func (c *Client) CreateSecondaryToken(ctx context.Context, cred Credentials) (string, error) {
	made, err := c.tokens(ctx, cred).CreateSecondaryAuthToken(nil)
	if err != nil {
		return "", result(err)
	}
	if text(made.SecondaryAuthToken) == "" {
		return "", &Error{Outcome: Unknown, Status: 201, Cause: ErrUnreadable}
	}
	return *made.SecondaryAuthToken, nil
}

// PromoteSecondaryToken makes the secondary token the primary one. The error is an *Error.
func (c *Client) PromoteSecondaryToken(ctx context.Context, cred Credentials) error {
	_, err := c.tokens(ctx, cred).UpdateAuthTokenPromotion(nil)
	return result(err)
}

// DeleteSecondaryToken takes the secondary token away; that there is none is no error. The error is an *Error.
func (c *Client) DeleteSecondaryToken(ctx context.Context, cred Credentials) error {
	err := c.tokens(ctx, cred).DeleteSecondaryAuthToken(nil)
	if err != nil && AsError(err).Status == 404 {
		return nil
	}
	return result(err)
}
