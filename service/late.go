package service

import (
	"context"

	"kanal/models"
	"kanal/store"
)

// roomFor is the part of the room between two messages that one between them leaves free before it: what comes late comes
// in its order, so nearly all of the room stays for those after it.
const roomFor = 256

// placeOf gives the seq of message i when others of its conversation that were written after it are kept already; false
// when it stands behind all. Twilio's calls are answered one by one, but what went into one instance's spool comes behind
// what another took in meanwhile, and what is listed comes behind all that had a webhook.
func (b *reception) placeOf(ctx context.Context, i int, c *models.Conversation) (float64, bool, error) {
	in := b.items[i]
	at := in.accountNow()
	if !b.mayBeLate(i) || !in.listed && !c.LastMessageAt.After(at) {
		return 0, false, nil
	}
	if err := b.insert(ctx); err != nil {
		return 0, false, err
	}
	after, before, err := b.tx.Gap(ctx, *c, store.Place{At: at, Behind: in.behind})
	if err != nil || before == 0 {
		return 0, false, err
	}
	place := after + (before-after)/roomFor
	if place <= after || place >= before {
		return 0, false, nil
	}
	if _, told := b.late[c.ID]; !told {
		b.late[c.ID] = len(b.messages)
	}
	return place, true, nil
}

// mayBeLate tells whether Twilio may have been answered, and the customer may have written again, before message i got its
// turn: that is so from the moment at which its call would go into the spool.
func (b *reception) mayBeLate(i int) bool {
	return b.items[i].again || b.tx.Now().Sub(b.items[i].ReceivedAt) >= hookPatience
}

// insert inserts the messages that are not inserted yet.
func (b *reception) insert(ctx context.Context) error {
	fresh := b.messages[b.kept:]
	b.kept = len(b.messages)
	return b.tx.InsertMessages(ctx, fresh)
}

// tellLate writes a line at the end of each conversation in which messages came late: who reads the newest ones would not
// see them. It leads to the first of them.
func (b *reception) tellLate(ctx context.Context) error {
	if len(b.late) == 0 {
		return nil
	}
	if err := b.insert(ctx); err != nil { // the line needs the message's id
		return err
	}
	for i := range b.items {
		c := b.conversations[b.key(i)]
		first, late := b.late[c.ID]
		if !late || first != i {
			continue
		}
		m := newSystemLine(c, line{"system.came_late", nil, b.items[i].Account.Now(b.tx.Now())})
		m.QuotedID = &b.messages[first].ID
		b.says = append(b.says, m)
	}
	return nil
}
