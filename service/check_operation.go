package service

import (
	"context"
	"errors"
	"time"

	"kanal/models"
)

// database asks the database whether it answers and fits this program.
func (r *CheckRun) database(ctx context.Context, p *checkUnit) []models.Finding {
	start := r.s.store.Now()
	err := r.s.store.CheckMigrated(ctx)
	took := r.s.store.Now().Sub(start)
	var said *models.Error
	switch {
	case errors.As(err, &said) && said.Kind != models.KindInternal:
		return one(models.VerdictFailed, models.Say(said.Key, said.Args...))
	case err != nil:
		r.s.log.Warn("the database does not answer", "part", p.id, "err", err)
		return one(models.VerdictFailed, models.Say("check.database.away"), models.Say("check.database.away_do"))
	}
	return one(models.VerdictOK, models.Say("check.database.ok", "took", took))
}

// outbound says how long messages have been waiting to be sent.
func (r *CheckRun) outbound(ctx context.Context, p *checkUnit) []models.Finding {
	now := r.s.store.Now()
	n, oldest, err := r.s.store.Outbound(ctx, now)
	if err != nil {
		return r.unread(p, err)
	}
	if n == 0 {
		return one(models.VerdictOK, models.Say("check.outbound.none"))
	}
	age := now.Sub(oldest)
	fact := models.Say("check.outbound.waiting", "n", n, "when", oldest)
	switch {
	case age >= queueStands:
		return one(models.VerdictFailed, fact, models.Say("check.outbound.stands_do"))
	case age >= queueSlow:
		return one(models.VerdictWarning, fact, models.Say("check.outbound.slow_do"))
	}
	return one(models.VerdictOK, fact)
}

// spool says whether webhooks wait for the database.
func (r *CheckRun) spool(context.Context, *checkUnit) []models.Finding {
	if r.s.spool == nil {
		return one(models.VerdictNotRun, models.Say("check.spool.elsewhere"))
	}
	if n := r.s.spool.Records(); n > 0 {
		return one(models.VerdictWarning, models.Say("check.spool.some", "n", n), models.Say("check.spool.some_do"))
	}
	return one(models.VerdictOK, models.Say("check.spool.ok"))
}

// disk says how much room there is for files.
func (r *CheckRun) disk(_ context.Context, p *checkUnit) []models.Finding {
	if r.s.files == nil {
		return one(models.VerdictNotRun, models.Say("check.disk.elsewhere"))
	}
	free, total, known, err := r.s.files.Space()
	switch {
	case err != nil:
		r.s.log.Warn("the disk did not tell its space", "part", p.id, "err", err)
		return one(models.VerdictFailed, models.Say("check.disk.unread"), models.Say("check.disk.full_do"))
	case !known:
		return one(models.VerdictOK, models.Say("check.disk.s3"))
	}
	fact := models.Say("check.disk.free", "free", models.Bytes(free), "total", models.Bytes(total))
	if v := models.RoomVerdict(free, total); v != models.VerdictOK {
		return one(v, fact, models.Say("check.disk.full_do"))
	}
	return one(models.VerdictOK, fact)
}

// clock compares our clock with Twilio's, as it said when it was asked for the account.
func (r *CheckRun) clock(_ context.Context, p *checkUnit) []models.Finding {
	r.mu.Lock()
	apart, told := r.ahead[p.account.ID]
	r.mu.Unlock()
	switch {
	case !told:
		return one(models.VerdictWarning, models.Say("check.clock.unknown"))
	case apart.Abs() > clockApart:
		return one(models.VerdictFailed, models.Say("check.clock.apart", "apart", apart.Abs()), models.Say("check.clock.apart_do"))
	}
	return one(models.VerdictOK, models.Say("check.clock.ok", "apart", apart.Abs()))
}

// zone says in which time zone the organisation is.
func (r *CheckRun) zone(ctx context.Context, p *checkUnit) []models.Finding {
	o, err := r.s.store.Organisation(ctx)
	if err != nil {
		return r.unread(p, err)
	}
	if o.TimeZone == "" {
		return one(models.VerdictOK, models.Say("check.zone.server", "zone", r.s.store.Now().Local().Format("MST (-07:00)")))
	}
	if _, err := time.LoadLocation(o.TimeZone); err != nil {
		return one(models.VerdictFailed, models.Say("check.zone.unknown", "zone", o.TimeZone), models.Say("check.zone.unknown_do"))
	}
	return one(models.VerdictOK, models.Say("check.zone.ok", "zone", o.TimeZone))
}
