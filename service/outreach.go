package service

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// Outreach is a conversation that an agent starts. To is a customer's number as a person writes it, unless Contact names
// one who is known. Consent says that the customer has agreed to messages, and Note how.
type Outreach struct {
	Number  models.NumberID
	Contact models.ContactID
	To      string
	Consent bool
	Note    string
}

// PhoneNumber gives a number as a person writes it in E.164: with a plus sign or two zeros in front the country is said,
// else it is that of our own number. False when it is not a number that can exist.
func PhoneNumber(written, ours string) (string, bool) {
	written = strings.TrimSpace(written)
	if rest, ok := strings.CutPrefix(written, "00"); ok {
		written = "+" + rest
	}
	region := "ZZ"
	if n, err := phonenumbers.Parse(ours, region); err == nil {
		region = phonenumbers.GetRegionCodeForNumber(n)
	}
	n, err := phonenumbers.Parse(written, region)
	if err != nil {
		return "", false
	}
	e164 := phonenumbers.Format(n, phonenumbers.E164)
	// WhatsApp keeps forms that the numbering plans have given up.
	plain, err := phonenumbers.Parse(models.PlainPhone(e164), region)
	return e164, err == nil && phonenumbers.IsPossibleNumber(plain) && twilio.PhonePattern.MatchString(e164)
}

// StartConversation gives the agent the conversation with a customer: the one that is not closed, or a new one in which a
// template comes first. The agent has it then.
//
// Errors: FieldErrors; KindConflict with the key outreach.other_agent when another agent has the conversation, with
// outreach.in_queue when it waits in a queue that is not the agent's.
func (s *Service) StartConversation(ctx context.Context, v models.Viewer, o Outreach) (models.ConversationID, error) {
	number, err := s.numberToStart(ctx, v, o.Number)
	if err != nil {
		return 0, err
	}
	if err := o.check(number); err != nil {
		return 0, err
	}
	account, err := s.directory.account(number.AccountID)
	if err != nil {
		return 0, err
	}
	var id models.ConversationID
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		id, err = s.start(ctx, tx, starting{v, o, number, account, account.Now(tx.Now())})
		return err
	})
	return id, err
}

// numberToStart gives a number from which the viewer may start. FieldErrors.
func (s *Service) numberToStart(ctx context.Context, v models.Viewer, id models.NumberID) (models.Number, error) {
	rows, err := s.store.NumbersToStart(ctx, v)
	i := slices.IndexFunc(rows, func(n models.NumberRow) bool { return n.ID == id })
	if err == nil && i < 0 {
		err = models.FieldErrors{{Field: "number", Key: "outreach.number_none"}}
	}
	if err != nil {
		return models.Number{}, err
	}
	return rows[i].Number, nil
}

// check reads the customer's number and looks at what can be seen without the database.
func (o *Outreach) check(ours models.Number) error {
	var errs models.FieldErrors
	if o.Contact == 0 {
		switch phone, ok := PhoneNumber(o.To, ours.Address); {
		case strings.TrimSpace(o.To) == "":
			errs.Add("to", "outreach.to_empty")
		case !ok:
			errs.Add("to", "outreach.to_invalid")
		case phone == ours.Address:
			errs.Add("to", "outreach.to_ours")
		default:
			o.To = phone
		}
	}
	if o.Note = strings.TrimSpace(validText(o.Note)); o.Consent {
		checkConsentNote(&errs, o.Note)
	}
	return errs.Err()
}

// starting is what one transaction that starts a conversation works on.
type starting struct {
	by      models.Viewer
	in      Outreach
	number  models.Number
	account models.Account
	now     time.Time
}

func (s *Service) start(ctx context.Context, tx *store.Tx, st starting) (models.ConversationID, error) {
	contact, address, err := s.reached(ctx, tx, st)
	if err != nil {
		return 0, err
	}
	key := store.ConversationKey{Account: st.account.ID, Number: st.number.ID, Contact: contact}
	if err := s.mayStart(ctx, tx, st, key); err != nil {
		return 0, err
	}
	w, err := tx.Workstream(ctx, *st.number.WorkstreamID)
	if err != nil {
		return 0, err
	}
	found, err := tx.OpenConversations(ctx, []store.ConversationKey{key}, func(k store.ConversationKey) models.Conversation {
		return outbound(k, w, st.now)
	})
	if err != nil {
		return 0, err
	}
	c := *found[key]
	if c.Seq == 0 {
		c.Address = address
	} else if err := s.mayJoin(ctx, tx, st.by, c); err != nil {
		return 0, err
	}
	err = s.change(ctx, tx, c, func(c *models.Conversation, now time.Time) error { return s.begun(ctx, tx, c, st.by.User, now) })
	if err != nil || !st.in.Consent {
		return c.ID, err
	}
	return c.ID, s.recordConsent(ctx, tx, st.account, models.Consent{
		ContactID: contact, Scope: models.ConsentAll, Given: true, Source: models.SourceAgent, Note: st.in.Note, UserID: &st.by.User,
	})
}

// reached finds or makes the customer and gives the address to write to: the one from which they last wrote.
func (s *Service) reached(ctx context.Context, tx *store.Tx, st starting) (models.ContactID, string, error) {
	contact := st.in.Contact
	if contact == 0 {
		ids, err := tx.Contacts(ctx, []store.Address{{Phone: st.in.To}})
		if err != nil {
			return 0, "", err
		}
		contact = ids[0]
	} else if _, err := tx.LockCustomer(ctx, st.by, contact); err != nil {
		if errors.Is(err, models.ErrNotFound) {
			err = models.FieldErrors{{Field: "to", Key: "outreach.to_invalid"}}
		}
		return 0, "", err
	}
	address, err := tx.LastAddress(ctx, st.account.ID, contact)
	if err != nil || address != "" {
		return contact, address, err
	}
	if st.in.Contact == 0 {
		return contact, string(twilio.PhoneAddress(st.in.To)), nil
	}
	_, ids, err := tx.Contact(ctx, contact)
	return contact, addressFrom(ids), err
}

// addressFrom gives the address of a customer who never wrote to the account: the number, else the user id.
func addressFrom(ids []models.ContactIdentity) string {
	address := ""
	for _, i := range ids {
		switch {
		case i.Derived:
		case i.Kind == models.IdentityPhone:
			return string(twilio.PhoneAddress(i.Value))
		default:
			address = "whatsapp:" + i.Value
		}
	}
	return address
}

// mayStart holds what forbids writing to a customer first: blocked, opted out, no consent known and none recorded now.
func (s *Service) mayStart(ctx context.Context, tx *store.Tx, st starting, key store.ConversationKey) error {
	blocked, err := tx.Blocked(ctx, []models.ContactID{key.Contact})
	if err != nil {
		return err
	}
	if blocked[key.Contact] {
		return models.FieldErrors{{Field: "to", Key: ErrBlocked.Key}}
	}
	state, err := tx.ConsentState(ctx, key.Account, key.Contact)
	if err != nil {
		return err
	}
	window, err := tx.ServiceWindow(ctx, key)
	if err != nil || window.IsOpen(st.now) && state.Reply(window) == models.ConsentAllows {
		return err
	}
	switch {
	case state.OptedOut() && (!st.in.Consent || state.All.ByTwilio()):
		return models.FieldErrors{{Field: "to", Key: string(models.RefusedOptedOut)}}
	case !st.in.Consent && !state.OptedIn("") && !state.OptedIn(models.CategoryMarketing):
		return models.FieldErrors{{Field: "consent", Key: "outreach.consent_missing"}}
	}
	return nil
}

// outbound makes the conversation that an agent starts.
func outbound(k store.ConversationKey, w models.Workstream, now time.Time) models.Conversation {
	return models.Conversation{
		AccountID: k.Account, NumberID: k.Number, ContactID: k.Contact, WorkstreamID: &w.ID, QueueID: w.QueueID, State: models.Open,
		LastMessageAt: now, LastDirection: models.System, LastState: models.Received, OpenedAt: now, Version: 1, UpdatedAt: now,
	}
}

// mayJoin tells whether the viewer may go on with a conversation that there is already.
func (s *Service) mayJoin(ctx context.Context, tx *store.Tx, v models.Viewer, c models.Conversation) error {
	switch {
	case c.UserID != nil && *c.UserID == v.User:
		return nil
	case c.UserID != nil:
		u, err := tx.User(ctx, *c.UserID)
		if err != nil {
			return err
		}
		return models.E(models.KindConflict, "outreach.other_agent", "name", u.Name)
	}
	member, err := tx.IsMember(ctx, v, c.QueueID)
	if err != nil || member {
		return err
	}
	q, err := tx.Queue(ctx, c.QueueID)
	if err != nil {
		return err
	}
	return models.E(models.KindConflict, "outreach.in_queue", "queue", q.Name)
}

// begun gives a locked conversation to who starts it; the caller saves it.
func (s *Service) begun(ctx context.Context, tx *store.Tx, c *models.Conversation, by models.UserID, now time.Time) error {
	switch {
	case c.Seq > 0 && c.State == models.Active && c.UserID != nil:
		return errUnchanged
	case c.Seq > 0:
		return s.assign(ctx, tx, c, by, now)
	}
	assigned, err := c.Assign(by, now)
	if err != nil {
		return err
	}
	*c = assigned
	if err := tx.StartAgentSession(ctx, *c, by, now); err != nil {
		return err
	}
	return s.systemLine(ctx, tx, c, line{"system.started", &by, now})
}
