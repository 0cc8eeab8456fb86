package models

import "time"

// Kinds of identity by which a customer is known.
const (
	IdentityPhone = "phone" // E.164 with the plus sign
	IdentityBSUID = "bsuid" // WhatsApp's business-scoped user id, CC.…
)

// Contact is a customer. A name that a person typed wins over the one the customer's profile gives.
type Contact struct {
	ID          ContactID
	Name        string // typed by a person
	ProfileName string // from WhatsApp, untrusted
	Language    string // of the customer, "" when nobody has said
	BlockedAt   *time.Time
	BlockedBy   *UserID
	Version     int
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ContactIdentity is one address by which a customer is known. (kind, value) is unique.
type ContactIdentity struct {
	ID        int64
	ContactID ContactID
	Kind      string
	Value     string
	CreatedAt time.Time
}
