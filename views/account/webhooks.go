package account

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// Hooks is the dialog that shows which addresses Twilio calls for the numbers of an account.
type Hooks struct {
	Account models.Account
	Numbers []models.NumberWebhooks
	Set     bool // they were set just now
	CanSet  bool // Twilio, or what stands in for it, can reach our address
}

// HooksURL is the page of the addresses at Twilio of an account.
func HooksURL(id models.AccountID) string { return URL(id) + "/webhooks" }

// setsHooks gives the attributes of a form outside of the dialog whose answer opens in it. Without script it is a page.
func setsHooks(a models.Account) templ.Attributes {
	x := components.OpensDialog(HooksURL(a.ID))
	maps.Copy(x, templ.Attributes{"id": "set-webhooks", "method": "post", "action": HooksURL(a.ID), "hx-post": x["hx-get"], "hx-sync": "this:drop"})
	delete(x, "hx-get")
	return x
}

// looksAgain gives the attributes of the link that reads the addresses anew, in the dialog or on its page.
func looksAgain(a models.Account) templ.Attributes {
	return templ.Attributes{"hx-get": HooksURL(a.ID), "hx-target": "#webhooks", "hx-swap": "outerHTML ignoreTitle:true"}
}

func setHooksButton(ctx context.Context) components.Button {
	return components.Button{Label: i18n.T(ctx, "webhooks.set"), Type: "submit", Busy: i18n.T(ctx, "webhooks.setting")}
}

// missing counts the numbers whose addresses are not in place.
func (h Hooks) missing() int {
	return len(slices.DeleteFunc(slices.Clone(h.Numbers), models.NumberWebhooks.InPlace))
}

// summary is the sentence on top, and its kind.
func (h Hooks) summary(ctx context.Context) (kind, sentence string) {
	switch n := h.missing(); {
	case len(h.Numbers) == 0:
		return "i", i18n.T(ctx, "webhooks.none")
	case n > 0:
		return "w", i18n.N(ctx, "webhooks.not_in_place", n)
	case h.Set:
		return "s", i18n.T(ctx, "webhooks.all_set")
	}
	return "s", i18n.T(ctx, "webhooks.all_in_place")
}

// settable tells whether setting the addresses may change anything.
func (h Hooks) settable() bool {
	return h.CanSet && slices.ContainsFunc(h.Numbers, func(n models.NumberWebhooks) bool { return n.Sender != "" && n.Now != n.Wanted })
}

// hookState is what the addresses of a number are called.
func hookState(n models.NumberWebhooks) State {
	switch {
	case n.InPlace():
		return State{"s", "check", "webhooks.in_place"}
	case n.Problem == models.WebhooksOfSandbox:
		return State{"i", "info", "webhooks.by_hand"}
	case n.Problem != "":
		return State{"e", "x", "webhooks.not_set"}
	case n.Override != nil:
		return State{"w", "alert", "webhooks.overridden"}
	case n.ServicesUnknown:
		return State{"w", "help", "webhooks.unknown"}
	}
	return State{"w", "alert", "webhooks.differs"}
}

// hookRow is one line of the table: an address at one time.
type hookRow struct {
	when    string // key
	hook    models.Webhook
	differs bool // from the wanted one
}

// hookGroup is one of the addresses of a number, at all times that say something.
type hookGroup struct {
	which string // key
	rows  []hookRow
}

func hookGroups(n models.NumberWebhooks) []hookGroup {
	return []hookGroup{
		{"webhooks.inbound", hookRows(n.Before.Inbound, n.Now.Inbound, n.Wanted.Inbound)},
		{"webhooks.fallback", hookRows(n.Before.Fallback, n.Now.Fallback, n.Wanted.Fallback)},
		{"webhooks.status", hookRows(n.Before.Status, n.Now.Status, n.Wanted.Status)},
	}
}

// hookRows leaves out what was the same before, and what is wanted when it is there.
func hookRows(before, now, wanted models.Webhook) []hookRow {
	var rows []hookRow
	if before != now {
		rows = append(rows, hookRow{"webhooks.before", before, before != wanted})
	}
	rows = append(rows, hookRow{"webhooks.now", now, now != wanted})
	if now != wanted {
		rows = append(rows, hookRow{"webhooks.wanted", wanted, false})
	}
	return rows
}

// serviceName is what a Messaging Service is called.
func serviceName(v models.MessagingService) string { return cmp.Or(v.Name, v.SID) }
