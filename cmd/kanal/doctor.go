package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"kanal/service"
	"kanal/store/blob"
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
	db, err := s.open(io, false)
	if err != nil {
		return err
	}
	defer db.close()
	if err := errors.Join(db.CheckMigrated(ctx), db.CheckKey(ctx)); err != nil {
		return err
	}
	files, err := s.files()
	if err != nil {
		return err
	}
	defer func() { _ = files.Close() }()
	sv, err := s.doctorService(ctx, db, files)
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

// doctorService is the service without what only a serving process holds: the spool, and the simulator with its accounts.
func (s settings) doctorService(ctx context.Context, db *opened, files *blob.Store) (*service.Service, error) {
	addr, err := net.ResolveTCPAddr("tcp", s.Addr)
	if err != nil {
		return nil, usageError{"KANAL_ADDR must be an address like 127.0.0.1:8080."}
	}
	public, err := s.publicURL(addr)
	if err != nil {
		return nil, err
	}
	var at twilio.Options
	if s.TwilioURL != "" {
		if at.Base, err = baseURL("KANAL_TWILIO_URL", s.TwilioURL); err != nil {
			return nil, err
		}
	}
	return service.New(ctx, service.Options{Store: db.Store, Files: files, Twilio: twilio.New(at), PublicURL: public, Log: db.log})
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
