package service

import (
	"context"

	"kanal/models"
	"kanal/twilio"
)

// detailsOf keeps what a message is beside its text.
func detailsOf(in twilio.Inbound) models.Details {
	d := models.Details{Forwarded: in.Forwarded, QuotedSID: in.RepliedSID}
	if in.RepliedSID != "" {
		d.QuotedBy = string(in.RepliedSender)
	}
	if in.Kind == twilio.Location && in.Place != nil {
		d.Place = &models.Place{Latitude: in.Place.Latitude, Longitude: in.Place.Longitude, Label: in.Place.Label, Address: in.Place.Address}
	}
	if c := in.Choice; c != nil {
		d.Choice = &models.Choice{ID: c.ID, Title: c.Title, Description: c.Description}
	}
	if r := in.Referral; r != nil {
		d.Referral = &models.Referral{Headline: r.Headline, Body: r.Body, URL: r.URL, Kind: r.Kind, ID: r.ID}
	}
	for _, a := range in.Flow {
		d.Flow = append(d.Flow, models.Answer{Name: a.Name, Value: a.Value})
	}
	return d
}

// quotes finds the messages that the ones taken in answer, by Twilio's sid within the account. One that is not known is
// not guessed.
func (b *reception) quotes(ctx context.Context) error {
	asked := map[models.AccountID][]string{}
	for _, in := range b.items {
		if in.msg.RepliedSID != "" {
			asked[in.Account.ID] = append(asked[in.Account.ID], in.msg.RepliedSID)
		}
	}
	b.quoted = make(map[models.AccountID]map[string]models.MessageID, len(asked))
	for account, sids := range asked {
		var err error
		if b.quoted[account], err = b.tx.MessageIDs(ctx, account, sids); err != nil {
			return err
		}
	}
	return nil
}

// quotedBy gives the message that message i answers; nil when there is none or it is not known.
func (b *reception) quotedBy(i int) *models.MessageID {
	in := b.items[i]
	if id, ok := b.quoted[in.Account.ID][in.msg.RepliedSID]; ok {
		return &id
	}
	return nil
}
