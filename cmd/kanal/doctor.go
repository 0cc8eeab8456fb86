package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"kanal/service"
	"kanal/twilio"
	"kanal/views/check"
	"kanal/views/i18n"
)

type doctorCommand struct {
	Language string `enum:"auto,nb,en" default:"auto" help:"Language of the report: nb or en; auto is that of LANG."`
}

// errDoctor says that the report has an error in it.
var errDoctor = errors.New("the connection check found an error")

// Run runs the connection check and prints what it found. It only reads, and works beside a serving process.
func (d doctorCommand) Run(ctx context.Context, s settings, io streams) error {
	db, public, err := s.beside(ctx, io)
	if err != nil {
		return err
	}
	defer db.close()
	files, err := s.files()
	if err != nil {
		return err
	}
	defer func() { _ = files.Close() }()
	base, err := s.twilioBase()
	if err != nil {
		return err
	}
	// Spool and simulator belong to the serving process.
	sv, err := service.New(ctx, service.Options{Store: db.Store, Files: files, Twilio: twilio.New(twilio.Options{Base: base}), PublicURL: public, Log: db.log})
	if err != nil {
		return err
	}
	defer sv.Close()
	run, err := sv.NewCheck(ctx)
	if err != nil {
		return err
	}
	found := run.All(ctx)
	ctx = i18n.With(ctx, i18n.Locale{Lang: d.lang(), Zone: time.Local})
	p := check.Page{Found: found, Now: db.Now(), Version: version}
	if _, err := fmt.Fprint(io.out, p.Report(ctx)); err != nil {
		return err
	}
	if check.Failed(found) {
		return errDoctor
	}
	return nil
}

// lang is the language of the report.
func (d doctorCommand) lang() i18n.Lang {
	if d.Language != "auto" {
		return i18n.Lang(d.Language)
	}
	for _, prefix := range []string{"nb", "nn", "no"} {
		if strings.HasPrefix(os.Getenv("LANG"), prefix) {
			return i18n.NB
		}
	}
	return i18n.EN
}
