package service_test

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
)

const goodPassword = models.Secret("correct horse battery")

// Of several who set up at the same time one wins; the others learn that it is done, and leave nothing behind.
func TestSetupIsWonOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		sv := newService(t, s)
		var all sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			all.Go(func() {
				_, errs[i] = sv.Setup(ctx, models.Viewer{}, service.NewAdministrator{
					Name: "A", Email: strings.Repeat("a", i+1) + "@example.com", Password: goodPassword, Queue: "Default",
				})
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, store.ErrAlreadySetUp) {
				t.Error(err)
			}
		}
		us, err := s.Users(ctx)
		if won != 1 || err != nil || len(us) != 1 {
			t.Errorf("%d have won, %d users, %v", won, len(us), err)
		}
	})
}

// Of two administrators who deactivate each other, or take each other's role, one stays.
func TestLastAdministratorStaysInARace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		sv := newService(t, s)
		a, err := sv.Setup(ctx, models.Viewer{}, service.NewAdministrator{Name: "A", Email: "a@example.com", Password: goodPassword, Queue: "Default"})
		if err != nil {
			t.Fatal(err)
		}
		_, link, err := sv.AddUser(ctx, models.Viewer{User: a.ID, Role: models.Administrator}, service.UserForm{Name: "B", Email: "b@example.com", Role: models.Administrator})
		if err != nil {
			t.Fatal(err)
		}
		b, err := sv.UseLink(ctx, models.Viewer{}, link, goodPassword)
		if err != nil {
			t.Fatal(err)
		}
		errs := make([]error, 2)
		var both sync.WaitGroup
		both.Go(func() { errs[0] = sv.DeactivateUser(ctx, models.Viewer{User: a.ID, Role: models.Administrator}, b.ID) })
		both.Go(func() {
			errs[1] = sv.ChangeUser(ctx, models.Viewer{User: b.ID, Role: models.Administrator}, a.ID, service.UserForm{Name: "A", Role: models.Agent, Version: a.Version})
		})
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), service.ErrLastAdministrator) {
			t.Errorf("%v, %v", errs[0], errs[1])
		}
	})
}

// newService gives the use cases over an empty center.
func newService(t *testing.T, s *store.Store) *service.Service {
	t.Helper()
	public, _ := url.Parse("http://127.0.0.1:8080")
	sv, err := service.New(ctx, service.Options{Store: s, Twilio: twilio.New(twilio.Options{}), PublicURL: public, Log: storetest.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sv.Close)
	return sv
}
