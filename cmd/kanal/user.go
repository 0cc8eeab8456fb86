package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	stdio "io"
	"strings"

	"kanal/models"
	"kanal/service"
	"kanal/twilio"
)

type userAddCommand struct {
	Email         string `required:"" help:"E-mail address with which the user signs in."`
	Name          string `required:"" help:"Name that others see."`
	Role          string `required:"" enum:"administrator,supervisor,agent" help:"One of administrator, supervisor, agent."`
	PasswordStdin bool   `help:"Read the password from standard input. Without it a one-time link is printed."`
}

// Run adds the user, or lets one who exists in again. It works beside a serving process.
func (u userAddCommand) Run(ctx context.Context, s settings, io streams) error {
	password, err := u.password(io)
	if err != nil {
		return err
	}
	db, public, err := s.beside(ctx, io)
	if err != nil {
		return err
	}
	defer db.close()
	sv, err := service.New(ctx, service.Options{Store: db.Store, Twilio: twilio.New(twilio.Options{}), PublicURL: public, Log: db.log})
	if err != nil {
		return err
	}
	defer sv.Close()
	token, err := sv.PutUser(ctx, service.UserForm{Name: u.Name, Email: u.Email, Role: models.Role(u.Role)}, password)
	if err != nil {
		return err
	}
	if token == "" {
		_, err = fmt.Fprintf(io.out, "%s can sign in at %s/login\n", u.Email, public)
	} else {
		_, err = fmt.Fprintf(io.out, "%s\nThe link works once, for 72 hours.\n", sv.UserLinkURL(token))
	}
	return err
}

// password reads the first line of standard input.
func (u userAddCommand) password(io streams) (models.Secret, error) {
	if !u.PasswordStdin {
		return "", nil
	}
	line, err := bufio.NewReader(stdio.LimitReader(io.in, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, stdio.EOF) {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", usageError{"No password came from standard input."}
	}
	return models.Secret(line), nil
}
