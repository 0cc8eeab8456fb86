package service_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
)

const (
	password = models.Secret("correct horse battery")
	another  = models.Secret("staple of other horses")
)

// member adds a user with the role who has set password by the one-time link.
func (c *center) member(role models.Role, email string, queues ...models.QueueID) models.User {
	c.t.Helper()
	_, token, err := c.service.AddUser(ctx, c.admin(), service.UserForm{Name: "Test", Email: email, Role: role, Queues: queues})
	if err != nil {
		c.t.Fatal(err)
	}
	u, err := c.service.UseLink(ctx, models.Viewer{}, token, password)
	if err != nil {
		c.t.Fatal(err)
	}
	return u
}

// loginSession signs a user in under a token.
func (c *center) loginSession(u models.UserID, token string) {
	c.t.Helper()
	keep := c.store.LoginSessionStore()
	err := errors.Join(keep.CommitCtx(ctx, token, []byte("x"), c.store.Now().Add(time.Hour)),
		keep.NameLoginSession(ctx, models.LoginSession{TokenHash: token, UserID: u}))
	if err != nil {
		c.t.Fatal(err)
	}
}

// loginSessions gives the tokens with which a user is signed in, as one text.
func (c *center) loginSessions(u models.UserID) string {
	c.t.Helper()
	list, err := c.store.LoginSessionsOf(ctx, u)
	if err != nil {
		c.t.Fatal(err)
	}
	tokens := make([]string, len(list))
	for i, l := range list {
		tokens[i] = l.TokenHash
	}
	return strings.Join(tokens, " ")
}

func (c *center) user(id models.UserID) models.User {
	c.t.Helper()
	u, err := c.store.User(ctx, id)
	if err != nil {
		c.t.Fatal(err)
	}
	return u
}

// newcomer gives a service over an empty database.
func newcomer(t *testing.T, s *store.Store) *service.Service {
	t.Helper()
	svc, err := service.New(ctx, service.Options{Store: s, Log: storetest.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(svc.Close)
	return svc
}

// Of several first starts at the same time one makes the administrator; nothing of the others stays.
func TestSetupIsWonOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		svc := newcomer(t, s)
		errs := make([]error, 4)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				in := service.NewAdministrator{Name: "Kari", Email: string(rune('a'+i)) + "@kanal.test", Password: password, Queue: "Default"}
				_, errs[i] = svc.Setup(ctx, models.Viewer{}, in)
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, store.ErrAlreadySetUp):
				t.Error(err)
			}
		}
		users, err := s.Users(ctx)
		if err != nil || won != 1 || len(users) != 1 || users[0].Role != models.Administrator {
			t.Fatalf("%d won, %+v, %v", won, users, err)
		}
		queues, err := s.Queues(ctx)
		if err != nil || len(queues) != 1 || !queues[0].IsDefault {
			t.Errorf("%+v %v", queues, err)
		}
		in, err := s.QueuesOf(ctx, users[0].ID)
		if err != nil || len(in) != 1 || in[0] != queues[0].ID {
			t.Errorf("the administrator is a member of %v, %v", in, err)
		}
		if hash := users[0].PasswordHash; !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("hash %s", hash)
		}
	})
}

func TestSetupSaysWhatIsWrong(t *testing.T) {
	svc := newcomer(t, storetest.Open(t, store.SQLite, nil))
	good := service.NewAdministrator{Name: "Kari", Email: "kari@kanal.test", Password: password, Queue: "Default"}
	for key, change := range map[string]func(*service.NewAdministrator){
		"name user.name_missing":          func(in *service.NewAdministrator) { in.Name = " \t " },
		"name user.name_long":             func(in *service.NewAdministrator) { in.Name = strings.Repeat("å", 101) },
		"email user.email_missing":        func(in *service.NewAdministrator) { in.Email = "  " },
		"email user.email_invalid":        func(in *service.NewAdministrator) { in.Email = "Kari <kari@kanal.test>" },
		"password user.password_missing":  func(in *service.NewAdministrator) { in.Password = "" },
		"password user.password_short":    func(in *service.NewAdministrator) { in.Password = "elleve tegn" },
		"password user.password_long":     func(in *service.NewAdministrator) { in.Password = models.Secret(strings.Repeat("x", 201)) },
		"email user.email_invalid (long)": func(in *service.NewAdministrator) { in.Email = strings.Repeat("x", 250) + "@k.no" },
	} {
		in := good
		change(&in)
		_, err := svc.Setup(ctx, models.Viewer{}, in)
		f := strings.Fields(key)
		problem(t, err, f[0], f[1])
	}
	if _, err := svc.Setup(ctx, models.Viewer{}, good); err != nil {
		t.Error(err)
	}
	if _, err := svc.Setup(ctx, models.Viewer{}, good); !errors.Is(err, store.ErrAlreadySetUp) {
		t.Error(err)
	}
}

// The last administrator who can sign in stays one, also when two take each other's role away at the same time.
func TestLastAdministratorStays(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		demote := func(u models.User) error {
			return c.service.ChangeUser(ctx, c.admin(), u.ID, service.UserForm{Name: u.Name, Role: models.Agent, Version: u.Version})
		}
		one := c.member(models.Administrator, "one@kanal.test")
		// One who has never used the link cannot sign in: that is no second administrator.
		if _, _, err := c.service.AddUser(ctx, c.admin(), service.UserForm{Name: "Invited", Email: "i@kanal.test", Role: models.Administrator}); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{demote(one), c.service.DeactivateUser(ctx, c.admin(), one.ID)} {
			if !errors.Is(err, service.ErrLastAdministrator) || models.KindOf(err) != models.KindConflict {
				t.Error(err)
			}
		}
		two := c.member(models.Administrator, "two@kanal.test")
		race := func(what string, first, second func() error) {
			t.Helper()
			errs := make([]error, 2)
			var both sync.WaitGroup
			both.Go(func() { errs[0] = first() })
			both.Go(func() { errs[1] = second() })
			both.Wait()
			if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), service.ErrLastAdministrator) {
				t.Error(what, errs)
			}
		}
		race("demoted", func() error { return demote(one) }, func() error { return demote(two) })
		for _, u := range []models.User{one, two} {
			again := service.UserForm{Name: u.Name, Role: models.Administrator, Version: c.user(u.ID).Version}
			if err := c.service.ChangeUser(ctx, c.admin(), u.ID, again); err != nil {
				t.Fatal(err)
			}
		}
		race("deactivated", func() error { return c.service.DeactivateUser(ctx, c.admin(), one.ID) }, func() error { return c.service.DeactivateUser(ctx, c.admin(), two.ID) })
	})
}

// Deactivating ends login sessions and one-time links, and the user's conversations wait in their queues again.
func TestDeactivateUser(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.write(0, "Hei")
		row := c.only()
		u := c.member(models.Agent, "kari@kanal.test", row.QueueID)
		who := models.Viewer{User: u.ID, Role: u.Role}
		if err := c.service.TakeOver(ctx, who, row.ID, 0); err != nil {
			t.Fatal(err)
		}
		c.loginSession(u.ID, "laptop")
		c.loginSession(u.ID, "phone")
		link, err := c.service.ResetUser(ctx, c.admin(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.service.DeactivateUser(ctx, c.admin(), u.ID); err != nil {
			t.Fatal(err)
		}
		if got := c.loginSessions(u.ID); got != "" {
			t.Errorf("still signed in: %s", got)
		}
		got, err := c.store.ConversationByID(ctx, row.ID)
		if err != nil || got.UserID != nil || got.State != models.Open || got.QueueID != row.QueueID {
			t.Errorf("%+v %v", got, err)
		}
		if _, err := c.service.UseLink(ctx, models.Viewer{}, link, another); !errors.Is(err, service.ErrLink) {
			t.Error(err)
		}
		if _, err := c.service.SignIn(ctx, u.Email, password); !errors.Is(err, service.ErrSignIn) {
			t.Error(err)
		}
		if _, err := c.service.ResetUser(ctx, c.admin(), u.ID); !errors.Is(err, service.ErrDeactivated) {
			t.Error(err)
		}
		if err := errors.Join(c.service.DeactivateUser(ctx, c.admin(), u.ID), c.service.ReactivateUser(ctx, c.admin(), u.ID)); err != nil {
			t.Error(err)
		}
		if _, err := c.service.SignIn(ctx, u.Email, password); err != nil {
			t.Error(err)
		}
	})
}

// A link works once, for three days, and only the last one that was made; it ends every login session.
func TestOneTimeLinks(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		use := func(token, p models.Secret) error {
			_, err := c.service.UseLink(ctx, models.Viewer{}, token, p)
			return err
		}
		reset := func(u models.UserID) models.Secret {
			token, err := c.service.ResetUser(ctx, c.admin(), u)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		u, invitation, err := c.service.AddUser(ctx, c.admin(), service.UserForm{Name: " Kari  Nordli ", Email: " KARI@kanal.test ", Role: models.Agent})
		if err != nil || u.Name != "Kari Nordli" || u.Email != "kari@kanal.test" {
			t.Fatalf("%+v %v", u, err)
		}
		if _, err := c.service.SignIn(ctx, u.Email, ""); !errors.Is(err, service.ErrSignIn) {
			t.Errorf("without a password: %v", err)
		}
		problem(t, use(invitation, "short"), "password", "user.password_short")
		if err := use(invitation, password); err != nil {
			t.Fatal("what was refused has not used it up:", err)
		}
		c.loginSession(u.ID, "laptop")
		first, second := reset(u.ID), reset(u.ID)
		if _, err := c.service.SignIn(ctx, u.Email, password); err != nil {
			t.Error("until the link is used the old password works:", err)
		}
		if err := use(second, another); err != nil {
			t.Fatal(err)
		}
		if got := c.loginSessions(u.ID); got != "" {
			t.Errorf("still signed in: %s", got)
		}
		raced := reset(u.ID)
		errs := make([]error, 2)
		var both sync.WaitGroup
		for i := range errs {
			both.Go(func() { errs[i] = use(raced, another) })
		}
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), service.ErrLink) {
			t.Error("used by two at once:", errs)
		}
		late := reset(u.ID)
		for name, token := range map[string]models.Secret{"used": invitation, "replaced": first, "used twice": second, "guessed": "guessed", "empty": ""} {
			if err := use(token, password); !errors.Is(err, service.ErrLink) {
				t.Errorf("%s: %v", name, err)
			}
		}
		clock.Advance(models.UserLinkLifetime)
		if err := use(late, password); !errors.Is(err, service.ErrLink) {
			t.Error("after three days:", err)
		}
		if _, err := c.service.SignIn(ctx, u.Email, another); err != nil {
			t.Error(err)
		}
	})
}

// Five wrong passwords make a user wait; an address that belongs to nobody answers in the same way.
func TestWrongPasswordsSlowDown(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		u := c.member(models.Agent, "kari@kanal.test")
		for _, email := range []string{" Kari@kanal.test", "nobody@kanal.test"} {
			for i := range 5 {
				if _, err := c.service.SignIn(ctx, email, another); !errors.Is(err, service.ErrSignIn) {
					t.Errorf("%s, wrong password %d: %v", email, i+1, err)
				}
			}
			if _, err := c.service.SignIn(ctx, email, password); !errors.Is(err, service.ErrTooManyTries) {
				t.Errorf("%s: %v", email, err)
			}
		}
		if err := c.service.ChangePassword(ctx, models.Viewer{User: u.ID}, "", password, another); !errors.Is(err, service.ErrTooManyTries) {
			t.Error("the profile page is no way around it:", err)
		}
		clock.Advance(time.Minute)
		if _, err := c.service.SignIn(ctx, u.Email, password); err != nil {
			t.Error(err)
		}
		if got := c.user(u.ID); got.FailedLogins != 0 || got.LockedUntil != nil || got.Version != u.Version {
			t.Errorf("the right password ends the count, and no version is spent: %+v", got)
		}
	})
}

// Who changes the password stays signed in here and nowhere else.
func TestChangePassword(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		u := c.member(models.Agent, "kari@kanal.test")
		v := models.Viewer{User: u.ID, Role: u.Role}
		c.loginSession(u.ID, "here")
		c.loginSession(u.ID, "elsewhere")
		link, err := c.service.ResetUser(ctx, c.admin(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		problem(t, c.service.ChangePassword(ctx, v, "here", another, another), "current", "me.current_wrong")
		problem(t, c.service.ChangePassword(ctx, v, "here", password, "short"), "password", "user.password_short")
		if got := c.loginSessions(u.ID); len(got) != len("here elsewhere") {
			t.Errorf("signed in: %s", got)
		}
		if err := c.service.ChangePassword(ctx, v, "here", password, another); err != nil {
			t.Fatal(err)
		}
		if got := c.loginSessions(u.ID); got != "here" {
			t.Errorf("signed in: %s", got)
		}
		if _, err := c.service.UseLink(ctx, models.Viewer{}, link, password); !errors.Is(err, service.ErrLink) {
			t.Error(err)
		}
		if _, err := c.service.SignIn(ctx, u.Email, another); err != nil {
			t.Error(err)
		}
		c.audited("user.password_changed")
	})
}

// What an administrator changes of a user is checked, guarded and noted.
func TestChangeUser(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		sales := c.queue("Sales")
		u := c.member(models.Agent, "kari@kanal.test")
		if in, err := c.store.QueuesOf(ctx, u.ID); err != nil || len(in) != 0 {
			t.Fatalf("a member of %v, %v", in, err)
		}
		change := func(f service.UserForm) error { return c.service.ChangeUser(ctx, c.admin(), u.ID, f) }
		good := service.UserForm{Name: "Kari", Role: models.Supervisor, Queues: []models.QueueID{sales, sales}, Version: u.Version}
		problem(t, change(service.UserForm{Role: models.Agent, Version: u.Version}), "name", "user.name_missing")
		problem(t, change(service.UserForm{Name: "Kari", Role: "operator", Version: u.Version}), "role", "user.role_missing")
		unknown := good
		unknown.Queues = []models.QueueID{sales, 999999}
		if err := change(unknown); models.KindOf(err) != models.KindInvalid {
			t.Error(err)
		}
		if err := change(good); err != nil {
			t.Fatal(err)
		}
		if err := change(good); !errors.Is(err, store.ErrStale) {
			t.Error("with the version of before:", err)
		}
		in, err := c.store.QueuesOf(ctx, u.ID)
		if got := c.user(u.ID); err != nil || got.Name != "Kari" || got.Role != models.Supervisor || len(in) != 1 || in[0] != sales {
			t.Errorf("%+v %v %v", got, in, err)
		}
		if err := c.service.ChangeUser(ctx, c.admin(), 999999, good); models.KindOf(err) != models.KindNotFound {
			t.Error(err)
		}
		_, _, err = c.service.AddUser(ctx, c.admin(), service.UserForm{Name: "Other", Email: "KARI@kanal.test", Role: models.Agent})
		problem(t, err, "email", "user.email_taken")
		if err := errors.Join(c.service.DeactivateUser(ctx, c.admin(), u.ID), c.service.ReactivateUser(ctx, c.admin(), u.ID)); err != nil {
			t.Error(err)
		}
		c.audited("user.added", "user.password_set", "user.changed", "user.deactivated", "user.reactivated")
	})
}

// audited fails the test unless each act has left a row, and none of them a secret.
func (c *center) audited(acts ...string) {
	c.t.Helper()
	rows, err := c.store.Audits(ctx, 100)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, act := range acts {
		found := false
		for _, r := range rows {
			found = found || r.Action == act
			if strings.Contains(r.Details, password.Reveal()) {
				c.t.Errorf("%s holds a password", r.Action)
			}
		}
		if !found {
			c.t.Errorf("no %s in %+v", act, rows)
		}
	}
}

// Only its owner ends a login session.
func TestEndLoginSession(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		u, other := c.member(models.Agent, "kari@kanal.test"), c.member(models.Administrator, "ola@kanal.test")
		c.loginSession(u.ID, "laptop")
		if err := c.service.EndLoginSession(ctx, models.Viewer{User: other.ID, Role: other.Role}, "laptop"); models.KindOf(err) != models.KindNotFound {
			t.Error(err)
		}
		if got := c.loginSessions(u.ID); got != "laptop" {
			t.Errorf("signed in: %q", got)
		}
		if err := c.service.EndLoginSession(ctx, models.Viewer{User: u.ID}, "laptop"); err != nil || c.loginSessions(u.ID) != "" {
			t.Error(err)
		}
	})
}

// The command line makes the first administrator, lets people in again, and gives a link where it gives no password.
func TestPutUser(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		svc := newcomer(t, s)
		form := service.UserForm{Name: "Kari", Email: "kari@kanal.test", Role: models.Administrator}
		_, err := svc.PutUser(ctx, form, "short")
		problem(t, err, "password", "user.password_short")
		link, err := svc.PutUser(ctx, form, "")
		if done, e := s.IsSetUp(ctx); err != nil || e != nil || !done || link == "" {
			t.Fatal(done, err, e)
		}
		u, err := svc.UseLink(ctx, models.Viewer{}, link, password)
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			_, _ = svc.SignIn(ctx, u.Email, "wrong")
		}
		if _, err := svc.PutUser(ctx, form, another); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.SignIn(ctx, u.Email, another); err != nil {
			t.Error("who waited is let in at once:", err)
		}
		if err := svc.ReactivateUser(ctx, models.Viewer{}, 999999); models.KindOf(err) != models.KindNotFound {
			t.Error(err)
		}
		form.Role = models.Supervisor
		if _, err := svc.PutUser(ctx, form, another); !errors.Is(err, service.ErrLastAdministrator) {
			t.Error("the last administrator stays:", err)
		}
		users, err := s.Users(ctx)
		if err != nil || len(users) != 1 {
			t.Errorf("%+v %v", users, err)
		}
	})
}

func TestProfile(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		u := c.member(models.Agent, "kari@kanal.test")
		v := models.Viewer{User: u.ID, Role: u.Role}
		for key, p := range map[string]service.Profile{
			"name user.name_missing":                         {},
			"language me.language_unknown":                   {Name: "K", Language: "xx"},
			"theme me.theme_unknown":                         {Name: "K", Theme: "red"},
			"time_zone me.time_zone_unknown":                 {Name: "K", TimeZone: "Europe/Nowhere"},
			"time_zone me.time_zone_unknown (the machine's)": {Name: "K", TimeZone: "Local"},
		} {
			f := strings.Fields(key)
			problem(t, c.service.SaveProfile(ctx, v, p), f[0], f[1])
		}
		err := c.service.SaveProfile(ctx, v, service.Profile{Name: " Kari  N ", Language: "nb", Theme: "dark", TimeZone: "Europe/Oslo"})
		got := c.user(u.ID)
		if err != nil || got.Name != "Kari N" || got.Language != "nb" || got.Theme != "dark" || got.TimeZone != "Europe/Oslo" || got.EnterSends || got.Role != u.Role {
			t.Errorf("%+v %v", got, err)
		}
		if err := c.service.SaveAppearance(ctx, v, "xx", ""); models.KindOf(err) != models.KindInvalid {
			t.Error(err)
		}
	})
}
