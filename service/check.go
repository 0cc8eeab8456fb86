package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"kanal/models"
)

// What the connection check holds to be too much.
const (
	clockApart      = 5 * time.Second     // from Twilio's clock; its answer is told in whole seconds
	certificateEnds = 14 * 24 * time.Hour // a certificate is renewed before
	reportsFor      = 24 * time.Hour      // a message sent in that time has a status callback
	reportLate      = 5 * time.Minute     // a message that was sent a moment ago need not have one
	queueSlow       = time.Minute
	queueStands     = 10 * time.Minute
)

// A check of the connection is bounded: in how many parts run at a time in this process, and in how long it takes. The
// server gives an answer a minute.
const (
	checksAtOnce = 8
	checkTime    = 45 * time.Second
)

// checkUnit is a part of the connection check that is run as one. Its findings are of one group and about one account, or
// about the whole center.
type checkUnit struct {
	id      string // "token-3"
	check   string // as models.Finding.Check
	group   models.CheckGroup
	account models.Account // zero when it is about the whole center
	needs   []string       // parts that must not fail before
	look    func(ctx context.Context, p *checkUnit) []models.Finding

	once  sync.Once
	found []models.Finding
}

// CheckRun is one run of the connection check. It only reads, and sends nothing to customers.
type CheckRun struct {
	s     *Service
	parts []*checkUnit

	mu    sync.Mutex
	ahead map[models.AccountID]time.Duration // how far our clock is ahead of Twilio's
}

// NewCheck begins a connection check of everything that is set up now.
func (s *Service) NewCheck(ctx context.Context) (*CheckRun, error) {
	accounts, err := s.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	r := &CheckRun{s: s, ahead: map[models.AccountID]time.Duration{}}
	db := []string{"database"}
	var inbound, clocks []*checkUnit
	for _, row := range accounts {
		a := row.Account
		if a.SID == "" || a.TokenSealed == "" {
			continue
		}
		part := func(check string, group models.CheckGroup, look func(context.Context, *checkUnit) []models.Finding, needs ...string) *checkUnit {
			return &checkUnit{id: partID(check, a.ID), check: check, group: group, account: a, needs: append(slices.Clone(db), needs...), look: look}
		}
		token := partID("token", a.ID)
		r.parts = append(r.parts,
			part("token", models.CheckOfAccount, r.token), part("sender", models.CheckOfAccount, r.senders, token),
			part("templates", models.CheckOfAccount, r.templates))
		inbound = append(inbound, part("signature", models.CheckOfInbound, r.signature), part("reports", models.CheckOfInbound, r.reports, "public"))
		clocks = append(clocks, part("clock", models.CheckOfOperation, r.clock, token))
	}
	r.parts = append(r.parts, &checkUnit{id: "public", check: "public", group: models.CheckOfInbound, look: r.public})
	r.parts = append(r.parts, inbound...)
	r.parts = append(r.parts,
		&checkUnit{id: "quarantine", check: "quarantine", group: models.CheckOfInbound, needs: db, look: r.quarantine},
		&checkUnit{id: "database", check: "database", group: models.CheckOfOperation, look: r.database},
		&checkUnit{id: "outbound", check: "outbound", group: models.CheckOfOperation, needs: db, look: r.outbound},
		&checkUnit{id: "spool", check: "spool", group: models.CheckOfOperation, look: r.spool},
		&checkUnit{id: "disk", check: "disk", group: models.CheckOfOperation, look: r.disk},
	)
	r.parts = append(r.parts, clocks...)
	r.parts = append(r.parts, &checkUnit{id: "zone", check: "zone", group: models.CheckOfOperation, needs: db, look: r.zone})
	return r, nil
}

func partID(check string, a models.AccountID) string { return fmt.Sprintf("%s-%d", check, a) }

// Pending gives a finding for each part, in the order in which they are shown, as if none had ended yet.
func (r *CheckRun) Pending() []models.Finding {
	pending := make([]models.Finding, len(r.parts))
	for i, p := range r.parts {
		pending[i] = models.Finding{Part: p.id, Check: p.check, Group: p.group, Account: p.account.Name, Verdict: models.VerdictRunning}
	}
	return pending
}

// Each runs all parts side by side, as far as they do not need each other, and hands over the findings of each as it ends,
// one part after the other. What has not begun when ctx ends or the time is up is not run.
func (r *CheckRun) Each(ctx context.Context, ended func(part string, found []models.Finding)) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	over := make(chan *checkUnit, len(r.parts))
	for _, p := range r.parts {
		go func() {
			r.run(ctx, p)
			over <- p
		}()
	}
	for range r.parts {
		p := <-over
		ended(p.id, p.found)
	}
}

// All runs every part and gives what they found in the order in which it is shown.
func (r *CheckRun) All(ctx context.Context) []models.Finding {
	r.Each(ctx, func(string, []models.Finding) {})
	var all []models.Finding
	for _, p := range r.parts {
		all = append(all, p.found...)
	}
	return all
}

// Run runs one part, after those that it needs. ErrNotFound when there is no such part.
func (r *CheckRun) Run(ctx context.Context, id string) ([]models.Finding, error) {
	i := slices.IndexFunc(r.parts, func(p *checkUnit) bool { return p.id == id })
	if i < 0 {
		return nil, models.ErrNotFound
	}
	return r.run(ctx, r.parts[i]), nil
}

// run runs a part once; who comes meanwhile waits for it. What it needs decides before whether it runs at all, so that one
// failure is told once.
func (r *CheckRun) run(ctx context.Context, p *checkUnit) []models.Finding {
	p.once.Do(func() {
		start := r.s.store.Now()
		if p.found = r.waits(ctx, p); p.found == nil {
			select {
			case r.s.checking <- struct{}{}:
				start = r.s.store.Now()
				p.found = r.looked(ctx, p)
				<-r.s.checking
			case <-ctx.Done():
				p.found = noTurn()
			}
		}
		end := r.s.store.Now()
		for i := range p.found {
			f := &p.found[i]
			f.Part, f.Group, f.Account, f.At, f.Took = p.id, p.group, p.account.Name, end, end.Sub(start)
			if f.Check == "" {
				f.Check = p.check
			}
		}
	})
	return p.found
}

// looked is what a part finds in the time that it has. One that panics must not end the process.
func (r *CheckRun) looked(ctx context.Context, p *checkUnit) (found []models.Finding) {
	defer func() {
		if said := recover(); said != nil {
			found = r.unread(p, fmt.Errorf("panic: %v\n%s", said, debug.Stack()))
		}
	}()
	if ctx.Err() != nil { // its turn has come by the end of another one's
		return noTurn()
	}
	ctx, cancel := context.WithTimeout(ctx, 2*checkTimeout)
	defer cancel()
	return p.look(ctx, p)
}

func noTurn() []models.Finding { return one(models.VerdictNotRun, models.Say("check.too_long")) }

// waits gives why a part is not run; nil when it can be.
func (r *CheckRun) waits(ctx context.Context, p *checkUnit) []models.Finding {
	for _, id := range p.needs {
		found, err := r.Run(ctx, id)
		if err != nil {
			panic("check: no part " + id) // the list of parts above is wrong
		}
		for _, f := range found {
			if f.Verdict == models.VerdictFailed || f.Verdict == models.VerdictNotRun {
				return one(models.VerdictNotRun, models.Say("check.after."+f.Check))
			}
		}
	}
	return nil
}

// one is the only finding of a part; the remedy may be left out.
func one(v models.Verdict, fact models.Phrase, remedy ...models.Phrase) []models.Finding {
	f := models.Finding{Verdict: v, Fact: fact}
	if len(remedy) > 0 {
		f.Remedy = remedy[0]
	}
	return []models.Finding{f}
}

// unread says that a part could not be looked at. The log says why.
func (r *CheckRun) unread(p *checkUnit, err error) []models.Finding {
	r.s.log.Warn("a part of the connection check did not work", "part", p.id, "err", err)
	return one(models.VerdictFailed, models.Say("check.unread"), models.Say("check.unread_do"))
}

// token asks Twilio for the account.
func (r *CheckRun) token(ctx context.Context, p *checkUnit) []models.Finding {
	cred, err := r.s.credentials(p.account)
	if errors.Is(err, errSimulatorOff) {
		return one(models.VerdictNotRun, models.Say("check.simulator_elsewhere"))
	}
	if err != nil {
		return r.unread(p, err)
	}
	said, err := r.s.twilio.FetchAccount(ctx, cred)
	state, err := acceptedAs(said, err)
	if err != nil {
		r.s.log.Warn("Twilio did not tell of an account", "account", p.account.ID, "err", err)
	}
	switch {
	case state == models.CheckOK && p.account.StoppedAt != nil:
		return one(models.VerdictWarning, models.Say("check.token.stopped", "when", *p.account.StoppedAt), models.Say("check.token.stopped_do"))
	case state != models.CheckOK:
		return one(models.VerdictFailed, models.Say("check.token."+string(state)), models.Say("check.token."+string(state)+"_do"))
	}
	if !said.Date.IsZero() {
		r.mu.Lock()
		r.ahead[p.account.ID] = r.s.store.Now().Sub(said.Date)
		r.mu.Unlock()
	}
	return one(models.VerdictOK, models.Say("check.token.ok"))
}

// senders asks Twilio for the account's numbers: whether it knows them, and whom it calls for them.
func (r *CheckRun) senders(ctx context.Context, p *checkUnit) []models.Finding {
	list, err := r.s.Webhooks(ctx, p.account.ID)
	var said *models.Error
	switch {
	case errors.As(err, &said) && said.Kind == models.KindUnavailable:
		return one(models.VerdictFailed, models.Say(said.Key, said.Args...), models.Say("check.sender.unread_do"))
	case err != nil:
		return r.unread(p, err)
	case len(list) == 0:
		return one(models.VerdictWarning, models.Say("check.sender.none"), models.Say("check.sender.none_do"))
	}
	var found []models.Finding
	for _, n := range list {
		sender := senderFinding(n)
		sender.Number = n.Number.Address
		found = append(found, sender)
		if n.Sender == "" || n.Problem != "" {
			continue // said already
		}
		address := addressFinding(n, p.account)
		address.Check, address.Number = "address", n.Number.Address
		found = append(found, address)
	}
	return found
}

// senderFinding says whether a number is a sender at Twilio, and how it stands.
func senderFinding(n models.NumberWebhooks) models.Finding {
	switch {
	case n.Problem == models.WebhooksOfSandbox:
		return one(models.VerdictOK, models.Say("check.sender.sandbox"))[0]
	case n.Problem != "":
		return one(models.VerdictFailed, models.Say("webhooks.problem."+string(n.Problem), "code", n.Code))[0]
	case !strings.HasPrefix(n.Status, "ONLINE"):
		return one(models.VerdictFailed, models.Say("check.sender.offline", "status", n.Status), models.Say("check.sender.offline_do"))[0]
	case n.Quality == "LOW":
		return one(models.VerdictWarning, models.Say("check.sender.low"), models.Say("check.sender.low_do"))[0]
	case n.Quality == "":
		return one(models.VerdictOK, models.Say("check.sender.ok", "status", n.Status))[0]
	}
	return one(models.VerdictOK, models.Say("check.sender.rated", "status", n.Status, "quality", n.Quality))[0]
}

// addressFinding says whom Twilio calls for a number. The secret part of our own address is left out.
func addressFinding(n models.NumberWebhooks, a models.Account) models.Finding {
	at := func(w models.Webhook) string { return strings.ReplaceAll(w.URL, a.HookKey, "***") }
	switch {
	case n.Override != nil:
		name := n.Override.Name
		if name == "" {
			name = models.Masked(n.Override.SID)
		}
		return one(models.VerdictFailed, models.Say("check.address.override", "name", name), models.Say("check.address.override_do"))[0]
	case n.Now.Inbound.URL == "":
		return one(models.VerdictFailed, models.Say("check.address.empty"), models.Say("check.address.set_do"))[0]
	case n.Now.Inbound != n.Wanted.Inbound:
		return one(models.VerdictFailed, models.Say("check.address.other", "url", at(n.Now.Inbound)), models.Say("check.address.set_do"))[0]
	case n.Now != n.Wanted:
		return one(models.VerdictWarning, models.Say("check.address.partly"), models.Say("check.address.set_do"))[0]
	case n.ServicesUnknown:
		return one(models.VerdictWarning, models.Say("check.address.services_unknown"), models.Say("check.address.services_unknown_do"))[0]
	}
	return one(models.VerdictOK, models.Say("check.address.ok"))[0]
}

// templates counts the account's templates.
func (r *CheckRun) templates(ctx context.Context, p *checkUnit) []models.Finding {
	by, err := r.s.store.TemplatesByStatus(ctx, p.account.ID)
	if err != nil {
		return r.unread(p, err)
	}
	all, approved := 0, by[models.TemplateApproved]
	for _, n := range by {
		all += n
	}
	refused := by[models.TemplateRejected] + by[models.TemplatePaused] + by[models.TemplateDisabled]
	waiting := by[models.TemplateReceived] + by[models.TemplatePending]
	switch {
	case all == 0:
		return one(models.VerdictOK, models.Say("check.templates.none"))
	case refused > 0:
		return one(models.VerdictWarning, models.Say("check.templates.refused", "approved", approved, "all", all, "n", refused), models.Say("check.templates.refused_do"))
	case waiting > 0:
		return one(models.VerdictWarning, models.Say("check.templates.waiting", "approved", approved, "all", all, "n", waiting), models.Say("check.templates.waiting_do"))
	}
	return one(models.VerdictOK, models.Say("check.templates.ok", "approved", approved, "all", all))
}

// public asks our own public address, as Twilio would.
func (r *CheckRun) public(ctx context.Context, p *checkUnit) []models.Finding {
	host := r.s.publicURL.Host
	if r.s.PublicURLIsLocal() {
		return one(models.VerdictWarning, models.Say("check.public.local", "url", r.s.PublicURL()), models.Say("check.public.local_do"))
	}
	unreachable := one(models.VerdictFailed, models.Say("check.public.unreachable", "host", host), models.Say("check.public.unreachable_do"))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(r.s.PublicURL(), "/")+"/healthz", http.NoBody)
	if err != nil {
		return unreachable
	}
	res, err := r.s.outside.Do(req)
	if err != nil {
		r.s.log.Warn("the public address does not answer", "part", p.id, "err", err)
		return unreachable
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return one(models.VerdictFailed, models.Say("check.public.status", "host", host, "status", res.StatusCode), models.Say("check.public.unreachable_do"))
	}
	if res.TLS == nil || len(res.TLS.PeerCertificates) == 0 {
		return one(models.VerdictFailed, models.Say("check.public.plain", "host", host), models.Say("check.public.local_do"))
	}
	ends := res.TLS.PeerCertificates[0].NotAfter
	if ends.Sub(r.s.store.Now()) < certificateEnds {
		return one(models.VerdictWarning, models.Say("check.public.ends", "host", host, "when", ends), models.Say("check.public.ends_do"))
	}
	return one(models.VerdictOK, models.Say("check.public.ok", "host", host, "when", ends))
}

// signature says when the account's last webhook came, and whether Twilio had signed it.
func (r *CheckRun) signature(ctx context.Context, p *checkUnit) []models.Finding {
	a, err := r.s.store.Account(ctx, p.account.ID)
	if err != nil {
		return r.unread(p, err)
	}
	last, err := r.s.store.NewestInbound(ctx, a.ID)
	switch {
	case err != nil:
		return r.unread(p, err)
	case a.SignatureFails > 0 && a.LastSignatureFail != nil && len(models.AddressDiffers(a.SignatureExpected, a.SignatureSeen)) > 0:
		hidden := strings.NewReplacer(a.HookKey, "***")
		return one(models.VerdictFailed,
			models.Say("check.signature.differs", "n", a.SignatureFails, "when", *a.LastSignatureFail, "expected", hidden.Replace(a.SignatureExpected), "seen", hidden.Replace(strings.TrimPrefix(a.SignatureSeen, "//"))),
			models.Say("check.signature.differs_do"))
	case a.SignatureFails > 0 && a.LastSignatureFail != nil:
		return one(models.VerdictFailed, models.Say("check.signature.failed", "n", a.SignatureFails, "when", *a.LastSignatureFail), models.Say("check.signature.failed_do"))
	case last.IsZero():
		return one(models.VerdictWarning, models.Say("check.signature.none"), models.Say("check.signature.none_do"))
	}
	return one(models.VerdictOK, models.Say("check.signature.ok", "when", last))
}

// reports says whether Twilio has told what became of the messages of the last day.
func (r *CheckRun) reports(ctx context.Context, p *checkUnit) []models.Finding {
	now := r.s.store.Now()
	as := p.account.Now(now) // messages are written by the account's clock, reports by ours
	sent, err := r.s.store.NewestSent(ctx, p.account.ID, as.Add(-reportsFor), as.Add(-reportLate))
	if err != nil {
		return r.unread(p, err)
	}
	told, err := r.s.store.NewestReport(ctx, p.account.ID, now.Add(-reportsFor))
	switch {
	case err != nil:
		return r.unread(p, err)
	case !sent.IsZero() && p.account.Now(told).Before(sent):
		return one(models.VerdictFailed, models.Say("check.reports.missing", "when", sent), models.Say("check.reports.missing_do"))
	case told.IsZero():
		return one(models.VerdictOK, models.Say("check.reports.nothing_sent"))
	}
	return one(models.VerdictOK, models.Say("check.reports.ok", "when", told))
}

// quarantine counts what could not be taken in.
func (r *CheckRun) quarantine(ctx context.Context, p *checkUnit) []models.Finding {
	by, err := r.s.store.CountQuarantine(ctx)
	n := 0
	for _, count := range by {
		n += count
	}
	switch {
	case err != nil:
		return r.unread(p, err)
	case n > 0:
		return one(models.VerdictWarning, models.Say("check.quarantine.some", "n", n), models.Say("check.quarantine.some_do"))
	}
	return one(models.VerdictOK, models.Say("check.quarantine.ok"))
}
