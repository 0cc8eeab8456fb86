package main

import (
	"fmt"
	"net/http"
	"time"

	"kanal/twilio/simulator"
)

// verdict is what does not agree: wrong never may be, open may still come.
type verdict struct{ wrong, open []string }

func (v *verdict) isWrong(format string, args ...any) {
	v.wrong = append(v.wrong, fmt.Sprintf(format, args...))
}

func (v *verdict) isOpen(format string, args ...any) {
	v.open = append(v.open, fmt.Sprintf(format, args...))
}

// stored is a message as the database has it.
type stored struct {
	id                          int64
	seq                         float64
	address                     string
	direction, body, sid, state string
}

// ledger is what Twilio's ledger has of messages, by their sid.
type ledger struct {
	taken map[string]bool      // customers' messages whose webhook was answered with 200
	said  map[string][]string  // statuses whose webhook was answered with 200
	made  map[string]time.Time // when a create made it
}

// compare holds the database to Twilio's ledger and phones. It reads the ledger first and the phones last: what the ledger
// has must be in the database, and what the database has on the phones.
func (r *faultRun) compare() *verdict {
	r.t.Helper()
	v := &verdict{}
	said := r.read(v)
	in, out := r.kept(v)
	lost := r.lost()
	for i := range r.customers {
		phone := r.sim.Thread(r.sid, r.customer(i), townNumber)
		r.compareIn(v, said, in[string(r.customer(i))], phone)
		compareInOrder(v, in[string(r.customer(i))], phone)
		r.compareOut(v, said, out[string(r.customer(i))], phone)
		r.compareOrder(v, said, lost, out[string(r.customer(i))], phone)
	}
	for what, query := range map[string]string{
		"files are not here":         "SELECT count(*) FROM files WHERE state <> 'stored'",
		"webhooks are in quarantine": "SELECT count(*) FROM quarantines",
	} {
		if n := r.count(query); n > 0 {
			v.isOpen("%d %s", n, what)
		}
	}
	return v
}

// read reads the ledger. Nothing that Twilio has not signed with the token may be taken in.
func (r *faultRun) read(v *verdict) ledger {
	t := ledger{map[string]bool{}, map[string][]string{}, map[string]time.Time{}}
	for _, e := range r.sim.Ledger(r.sid) {
		switch {
		case e.What == "create" && e.SID != "":
			t.made[e.SID] = e.At
		case e.Status == http.StatusForbidden && !e.Met(simulator.FaultForged) && !e.Met(simulator.FaultOldToken):
			v.isWrong("a webhook that Twilio has signed was refused: %s %s", e.What, e.SID)
		case e.Status != http.StatusOK:
		case e.Met(simulator.FaultForged) || e.Met(simulator.FaultOldToken) && !r.justRotated(e.At):
			v.isWrong("a webhook with a wrong signature was taken in: %s %s", e.What, e.SID)
		case e.What == "inbound":
			t.taken[e.SID] = true
		case e.What == "status":
			t.said[e.SID] = append(t.said[e.SID], e.Params.Get("MessageStatus"))
		}
	}
	return t
}

// kept reads the messages of each customer in the order of their conversation. One of ours that is there twice is wrong.
func (r *faultRun) kept(v *verdict) (in, out map[string][]stored) {
	r.t.Helper()
	in, out = map[string][]stored{}, map[string][]stored{}
	bodies := map[string]bool{}
	r.query(`SELECT m.id, m.seq, c.address, m.direction, m.body, coalesce(m.provider_sid, ''), m.state
		FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE m.direction <> 'system' ORDER BY c.id, m.seq`, func(scan func(...any) error) error {
		var m stored
		err := scan(&m.id, &m.seq, &m.address, &m.direction, &m.body, &m.sid, &m.state)
		if m.direction == "in" {
			in[m.address] = append(in[m.address], m)
			return err
		}
		if bodies[m.body] || !r.replies[m.body] {
			v.isWrong("%q is in the database twice, or nobody wrote it", m.body)
		}
		bodies[m.body], out[m.address] = true, append(out[m.address], m)
		return err
	})
	for body := range r.replies {
		if !bodies[body] {
			v.isWrong("%q was answered and is not in the database", body)
		}
	}
	return in, out
}

// lost gives when attempts began that were found to be lost, by their message.
func (r *faultRun) lost() map[int64][]time.Time {
	r.t.Helper()
	out := map[int64][]time.Time{}
	r.query("SELECT message_id, started_at FROM send_attempts WHERE state = 'lost'", func(scan func(...any) error) error {
		var id int64
		var at time.Time
		err := scan(&id, &at)
		out[id] = append(out[id], at)
		return err
	})
	return out
}

// compareIn holds a customer's messages in the database to their phone: each is there once, and nothing else is.
func (r *faultRun) compareIn(v *verdict, said ledger, rows []stored, phone []simulator.Message) {
	written, seqs := map[string]bool{}, map[string]float64{}
	for _, m := range rows {
		if seqs[m.sid] != 0 {
			v.isWrong("%s of a customer is in the database twice", m.sid)
		}
		seqs[m.sid] = m.seq
	}
	for _, m := range phone {
		if m.Direction != "inbound" {
			continue
		}
		written[m.SID] = true
		switch seq := seqs[m.SID]; {
		case seq == 0 && said.taken[m.SID]:
			v.isOpen("%s of a customer was answered with 200 and is not in the database", m.SID)
		case seq == 0:
			v.isOpen("%s of a customer was listed nowhere", m.SID)
		}
	}
	for _, m := range rows {
		if !written[m.sid] {
			v.isWrong("%s is in the database and no customer wrote it", m.sid)
		}
	}
}

// compareInOrder holds a customer's messages to the order in which they were written, whatever way they came: by webhook,
// through the spool of one of several members, or from a listing.
func compareInOrder(v *verdict, rows []stored, phone []simulator.Message) {
	place := map[string]int{}
	for i, m := range phone {
		place[m.SID] = i + 1
	}
	for i, m := range rows {
		for _, behind := range rows[i+1:] {
			if place[behind.sid] < place[m.sid] {
				v.isWrong("%q of a customer stands behind %q, which was written later", behind.body, m.body)
			}
		}
	}
}

// ranks are the states that follow each other.
var ranks = map[string]int{"accepted": 1, "sent": 2, "delivered": 3, "read": 4}

// compareOut holds what we wrote to a customer to their phone: each is there once, under the sid that we know, and in the
// state that we know.
func (r *faultRun) compareOut(v *verdict, said ledger, rows []stored, phone []simulator.Message) {
	there := map[string]simulator.Message{}
	for _, m := range phone {
		if m.Direction == "inbound" {
			continue
		}
		if there[m.Body].SID != "" {
			v.isWrong("%q was sent twice: %s and %s", m.Body, there[m.Body].SID, m.SID)
		}
		there[m.Body] = m
	}
	for _, m := range rows {
		at := there[m.body]
		switch {
		case m.state == "queued" || m.state == "sending" || m.state == "uncertain":
			v.isOpen("%q is %s", m.body, m.state)
			continue
		case at.SID == "":
			v.isWrong("%q is %s and Twilio does not have it", m.body, m.state)
			continue
		case m.sid != at.SID:
			v.isWrong("%q is %s at Twilio and %s here", m.body, at.SID, m.sid)
			continue
		case at.Status != "read" && at.Status != "failed":
			v.isOpen("%q is only %s at Twilio", m.body, at.Status)
			continue
		case m.state == at.Status:
			continue
		case ranks[m.state] == 0, at.Status == "failed" && ranks[m.state] >= ranks["delivered"]:
			v.isWrong("%q is %s here and %s at Twilio", m.body, m.state, at.Status)
			continue
		case ranks[m.state] < ranks["delivered"]: // Twilio is asked about those
			v.isOpen("%q is %s here and %s at Twilio", m.body, m.state, at.Status)
		}
		for _, status := range said.said[m.sid] {
			if ranks[status] > ranks[m.state] || status == "failed" {
				v.isOpen("%q is %s here and Twilio was answered when it said %s", m.body, m.state, status)
			}
		}
	}
}

// compareOrder holds the order in which messages of ours came to Twilio to that of the conversation. Only one whose attempt
// was lost may stand behind others: those that left when it had held them back for a minute.
func (r *faultRun) compareOrder(v *verdict, said ledger, lost map[int64][]time.Time, rows []stored, phone []simulator.Message) {
	place := map[string]int{}
	for i, m := range phone {
		place[m.SID] = i + 1
	}
	for i, m := range rows {
		for _, later := range rows[i+1:] {
			if place[m.sid] == 0 || place[later.sid] == 0 || place[m.sid] < place[later.sid] {
				continue
			}
			may := false
			for _, at := range lost[m.id] {
				may = may || !said.made[later.sid].Before(at.Add(time.Minute))
			}
			if !may {
				v.isWrong("%q came to Twilio before %q", later.body, m.body)
			}
		}
	}
}
