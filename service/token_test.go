package service_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
)

func (c *center) tokens() []string {
	c.t.Helper()
	hook, err := c.service.Hook(ctx, "key")
	if err != nil {
		c.t.Fatal(err)
	}
	return hook.Tokens
}

func (c *center) version() int {
	c.t.Helper()
	a, err := c.store.Account(ctx, c.account.ID)
	if err != nil {
		c.t.Fatal(err)
	}
	return a.Version
}

func TestOldTokenSignsForFiveMinutes(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		old := c.tokens()
		if err := c.service.BeginRotation(ctx, boss, c.account.ID, "", c.version()); err != nil {
			t.Fatal(err)
		}
		both := c.tokens()
		if len(both) != 2 || both[0] != old[0] {
			t.Fatalf("%d tokens check signatures", len(both))
		}
		if err := c.service.PromoteToken(ctx, boss, c.account.ID, c.version()); err != nil {
			t.Fatal(err)
		}
		clock.Advance(models.OldTokenLasts - time.Second)
		if now := c.tokens(); !slices.Equal(now, []string{both[1], old[0]}) {
			t.Errorf("after the promotion %d tokens check signatures", len(now))
		}
		clock.Advance(time.Second)
		if now := c.tokens(); !slices.Equal(now, both[1:]) {
			t.Errorf("five minutes later %d tokens check signatures", len(now))
		}
		clock.Advance(time.Second)
		if err := c.service.Housekeeping(ctx); err != nil {
			t.Fatal(err)
		}
		if a, err := c.store.Account(ctx, c.account.ID); err != nil || a.OldTokenSealed != "" || a.OldTokenUntil != nil {
			t.Errorf("the old token is kept until %v, %v", a.OldTokenUntil, err)
		}
	})
}

// An instance that has not heard of the new token yet is refused by Twilio, looks again, and sends.
func TestSendingWithATokenThatIsGone(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		other := c.another()
		next := c.sim.AddSecondaryToken(c.sid)
		if err := other.BeginRotation(ctx, boss, c.account.ID, models.Secret(next), c.version()); err != nil {
			t.Fatal(err)
		}
		if err := other.PromoteToken(ctx, boss, c.account.ID, c.version()); err != nil {
			t.Fatal(err)
		}
		c.write(0, "Hei")
		m := c.reply(c.only().ID, "k", "Hei selv")
		c.send(m.ConversationID)
		if got := c.message(m.ID); got.ProviderSID == nil {
			t.Errorf("it is %s, code %d", got.State, got.ErrorCode)
		}
	})
}

func TestRotationThatTwilioDoesNotAnswer(t *testing.T) {
	c := newCenter(t, storetest.Open(t, store.SQLite, nil), nil)
	if err := c.service.BeginRotation(ctx, boss, c.account.ID, "", c.version()); err != nil {
		t.Fatal(err)
	}
	if err := c.sim.Close(); err != nil {
		t.Fatal(err)
	}
	for what, try := range map[string]func(int) error{
		"begin":   func(v int) error { return c.service.BeginRotation(ctx, boss, c.account.ID, "", v) },
		"promote": func(v int) error { return c.service.PromoteToken(ctx, boss, c.account.ID, v) },
		"give up": func(v int) error { return c.service.GiveUpRotation(ctx, boss, c.account.ID, v) },
	} {
		was := c.version()
		if err := try(was); !errors.Is(err, service.ErrTokenUnreachable) {
			t.Errorf("%s: %v", what, err)
		}
		if c.version() != was {
			t.Errorf("%s has changed the account", what)
		}
	}
	if n := len(c.tokens()); n != 2 {
		t.Errorf("%d tokens check signatures", n)
	}
}
