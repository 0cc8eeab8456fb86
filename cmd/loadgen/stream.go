package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"kanal/models"
)

// stream is one open page that hears of conversations.
type stream struct {
	body  io.Closer
	lines *bufio.Reader
}

// openStream opens a stream and waits for its first event, which proves that the line works.
func openStream(ctx context.Context, client *http.Client, base string) (*stream, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/events", nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req) //nolint:bodyclose // the stream keeps it until close
	if err != nil {
		return nil, err
	}
	s := &stream{body: res.Body, lines: bufio.NewReaderSize(res.Body, 512)}
	if res.StatusCode != http.StatusOK {
		s.close()
		return nil, fmt.Errorf("a stream was refused: %s", res.Status)
	}
	if name, _, err := s.next(); err != nil || name != "ping" {
		s.close()
		return nil, fmt.Errorf("a stream began with %q: %w", name, err)
	}
	return s, nil
}

// next reads one event.
func (s *stream) next() (name string, id int64, err error) {
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return name, 0, err
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "event":
			name = value
		case "data":
			if id, err = strconv.ParseInt(value, 10, 64); err != nil {
				return name, 0, err
			}
		case "":
			return name, id, nil
		}
	}
}

// hear calls back for every conversation that changes, until the stream ends.
func (s *stream) hear(changed func(models.ConversationID)) {
	for {
		name, id, err := s.next()
		if err != nil {
			return
		}
		if name == models.EventConversation {
			changed(models.ConversationID(id))
		}
	}
}

func (s *stream) close() { _ = s.body.Close() }
