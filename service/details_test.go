package service_test

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

// form gives a text from the customer with more fields, or others.
func form(n int, more map[string]string) url.Values {
	f := text(n, "whatsapp:+4740000142", number)
	for k, v := range more {
		f.Set(k, v)
	}
	return f
}

// Whatever a message brings is kept in one transaction with it, and shows in the list and in what can be searched.
func TestDetailsAreKept(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		for i, tt := range []struct {
			more    map[string]string
			kind    models.MessageKind
			want    models.Details
			preview string
			search  string
		}{
			{map[string]string{"Body": "Hei ÅSE"}, models.KindText, models.Details{}, "Hei ÅSE", "hei åse"},
			{map[string]string{"Body": "", "MessageType": "location", "Latitude": "59.9", "Longitude": "10.7", "Label": "Operaen", "Address": "Oslo"},
				models.KindLocation, models.Details{Place: &models.Place{Latitude: 59.9, Longitude: 10.7, Label: "Operaen", Address: "Oslo"}},
				"\x1flocation\x1fOperaen", "operaen\noslo"},
			{map[string]string{"Body": "Ja", "MessageType": "button", "ButtonText": "Ja", "ButtonPayload": "yes"},
				models.KindButton, models.Details{Choice: &models.Choice{ID: "yes", Title: "Ja"}}, "\x1fbutton\x1fJa", "ja"},
			{map[string]string{"Body": "", "MessageType": "interactive", "FlowData": `{"size":"M","flow_token":"x"}`},
				models.KindFlowReply, models.Details{Flow: []models.Answer{{Name: "size", Value: "M"}}}, "\x1fflow_reply\x1f", "m"},
			{map[string]string{"Body": "Hei", "ReferralHeadline": "Sale", "ReferralSourceUrl": "https://fb.me/x", "ReferralSourceType": "ad"},
				models.KindText, models.Details{Referral: &models.Referral{Headline: "Sale", URL: "https://fb.me/x", Kind: "ad"}}, "Hei", "hei\nsale"},
			{map[string]string{"Body": "x", "Forwarded": "true", "FrequentlyForwarded": "true"},
				models.KindText, models.Details{Forwarded: "often"}, "x", "x"},
			{map[string]string{"Body": "", "MessageType": "order"}, models.KindUnsupported, models.Details{}, "\x1funsupported\x1forder", ""},
			{map[string]string{"Body": "", "MessageType": "image", "NumMedia": "1", "MediaUrl0": "https://api.twilio.com/x", "MediaContentType0": "image/png"},
				models.KindImage, models.Details{}, "\x1fimage\x1f", ""},
		} {
			c.receive(form(i+1, tt.more))
			m := c.last()
			if m.Kind != tt.kind || !reflect.DeepEqual(m.Details, tt.want) || m.SearchText != tt.search {
				t.Errorf("%v: %s %+v, search %q", tt.more, m.Kind, m.Details, m.SearchText)
			}
			if p := c.only().LastPreview; p != tt.preview {
				t.Errorf("%v: preview %q, want %q", tt.more, p, tt.preview)
			}
		}
	})
}

// A quote is bound to the message with Twilio's sid in the same account, also by the sid of an attempt that was given
// up; a sid that is not known is kept and not guessed, and it keeps none of those out that share its commit.
func TestQuotesAreBound(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.receive(form(1, map[string]string{"Body": "first"}))
		first := c.last()
		old, now := sid(500), c.store.Now()
		err := c.store.InTx(ctx, func(tx *store.Tx) error {
			return tx.Insert(ctx, &models.SendAttempt{
				AccountID: c.account.ID, MessageID: first.ID, N: 1, State: models.AttemptLost, SID: &old, LeaseUntil: now, StartedAt: now, DeadlineAt: now,
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		want := map[string]*models.MessageID{}
		for i := range 40 {
			more := map[string]string{"Body": "plain"}
			switch i % 3 {
			case 1:
				more = map[string]string{"Body": "quote", "OriginalRepliedMessageSid": sid(1), "OriginalRepliedMessageSender": "whatsapp:" + number}
				if i%2 == 0 {
					more["OriginalRepliedMessageSid"] = old
				}
				want[sid(i+10)] = &first.ID
			case 2:
				more = map[string]string{"Body": "unknown", "OriginalRepliedMessageSid": sid(999)}
			}
			wg.Go(func() { c.receive(form(i+10, more)) })
		}
		wg.Wait()
		ms, err := c.store.Messages(ctx, c.only().Conversation, 0)
		if err != nil || len(ms) != 41 {
			t.Fatal(len(ms), err)
		}
		bound := map[string]*models.MessageID{}
		for _, m := range ms {
			if m.QuotedID != nil {
				bound[*m.ProviderSID] = m.QuotedID
			}
			if (m.Body == "unknown") != (m.Details.QuotedSID == sid(999)) || m.Body == "quote" && m.Details.QuotedBy != "whatsapp:"+number {
				t.Errorf("%s: %+v", m.Body, m.Details)
			}
		}
		if !reflect.DeepEqual(bound, want) {
			t.Errorf("bound %v, want %v", slices.Sorted(maps.Keys(bound)), slices.Sorted(maps.Keys(want)))
		}
	})
}

// Who sees a conversation sees what its messages answer, also what came later than its answer; nobody sees the words of
// another customer, or of a conversation that is not theirs to see.
func TestQuotesAreForWhoMaySeeThem(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.receive(form(1, map[string]string{"Body": "first"}))
		c.receive(form(2, map[string]string{"OriginalRepliedMessageSid": sid(1)}))
		c.receive(form(3, map[string]string{"OriginalRepliedMessageSid": sid(4)}))
		c.receive(form(4, map[string]string{"Body": "late"}))
		row := c.only()
		ms, err := c.store.Messages(ctx, row.Conversation, 0)
		if err != nil {
			t.Fatal(err)
		}
		quotes, err := c.store.Quotes(ctx, c.agent, row, ms)
		if err != nil || len(quotes) != 2 || quotes[ms[1].ID].Body != "first" || quotes[ms[2].ID].Body != "late" {
			t.Errorf("%+v %v", quotes, err)
		}
		stranger := models.Viewer{User: c.agent.User + 1, Role: models.Agent}
		if quotes, err := c.store.Quotes(ctx, stranger, row, ms); err != nil || len(quotes) != 0 {
			t.Errorf("a stranger sees %+v, %v", quotes, err)
		}
		row.ContactID++
		if quotes, err := c.store.Quotes(ctx, c.agent, row, ms); err != nil || len(quotes) != 0 {
			t.Errorf("of another customer: %+v, %v", quotes, err)
		}
		if quotes, err := c.store.Quotes(ctx, c.agent, row, ms[:1]); err != nil || len(quotes) != 0 {
			t.Errorf("without a quote: %+v, %v", quotes, err)
		}
	})
}

func (c *center) receive(f url.Values) {
	c.t.Helper()
	if err := c.service.Receive(ctx, c.call(f)); err != nil {
		c.t.Error(err)
	}
}

// last gives the newest message of the only conversation.
func (c *center) last() models.Message {
	c.t.Helper()
	ms, err := c.store.Messages(ctx, c.only().Conversation, 0)
	if err != nil || len(ms) == 0 {
		c.t.Fatal(ms, err)
	}
	return ms[len(ms)-1]
}
