package simulator

import (
	"maps"
	"time"

	"kanal/twilio"
)

type account struct {
	SID       string        `json:"sid"`
	Token     string        `json:"token"`
	Secondary string        `json:"secondary,omitempty"` // the token to come, while it is rotated
	Name      string        `json:"name"`
	Ahead     time.Duration `json:"ahead"`
	Senders   []*Sender     `json:"senders"`
	Customers []*Customer   `json:"customers"`
	Messages  []*Message    `json:"messages"`
	Outcome   Outcome       `json:"outcome"`
	Chaos     Chaos         `json:"chaos,omitzero"`
	Suspended bool          `json:"suspended"`
	Purpose   string        `json:"purpose,omitempty"`
	Rotated   string        `json:"rotated,omitempty"` // the token before the one it has
	DebugURL  string        `json:"debug_url,omitempty"`
	// Joined says when a phone has joined the sandbox.
	Joined   map[twilio.Address]time.Time `json:"joined,omitempty"`
	Contents []*Content                   `json:"contents"`
	Sampled  bool                         `json:"sampled"` // it has had the sample templates
	Review   time.Duration                `json:"review"`  // how long WhatsApp looks at a template; 0 is DefaultReview
	// AdvancedOptOut says that Twilio itself acts on stop words.
	AdvancedOptOut bool       `json:"advanced_opt_out,omitempty"`
	Services       []*Service `json:"services,omitempty"`
	faults         []Fault
	counts         map[string]int // of the events that chance has decided on
	index          *index
	people         map[twilio.Address]*Customer
	lag            int                // of updates of senders, in fetches
	updates        map[string]*update // of senders, by SID
	failUpdates    []int              // statuses of the next updates of senders
	listings       []int              // statuses of the next listings of templates; 0 is no failure
	ledger         []Entry
	noted          int64              // entries so far
	typing         map[line]time.Time // until when a phone shows that the sender is writing
}

// Sender is a WhatsApp sender of a simulated account. Its addresses are what a person would paste into the console.
type Sender struct {
	SID         string `json:"sid"`
	Number      string `json:"number"` // E.164
	Name        string `json:"name"`
	InboundURL  string `json:"inbound_url"`
	FallbackURL string `json:"fallback_url,omitempty"` // called when no attempt at the inbound address succeeded
	StatusURL   string `json:"status_url,omitempty"`   // of messages that name none themselves
	Offline     bool   `json:"offline,omitempty"`
}

// Customer is a simulated person with a phone.
type Customer struct {
	Name    string         `json:"name"`
	Address twilio.Address `json:"address"`
	BSUID   string         `json:"bsuid"`
	// OptedOut says that Twilio refuses messages to this customer, Blocks that WhatsApp does not deliver them.
	OptedOut bool `json:"opted_out,omitempty"`
	Blocks   bool `json:"blocks,omitempty"`
}

func (s *Simulator) account(sid string) *account {
	for _, a := range s.state.Accounts {
		if a.SID == sid {
			return a
		}
	}
	return nil
}

func (a *account) now(at time.Time) time.Time { return at.Add(a.Ahead).UTC() }

func (a *account) sender(number string) *Sender {
	for _, s := range a.Senders {
		if s.Number == number {
			return s
		}
	}
	return nil
}

func (a *account) customer(address twilio.Address) *Customer {
	if a.people == nil {
		a.people = map[twilio.Address]*Customer{}
	}
	for _, c := range a.Customers[len(a.people):] { // nobody leaves
		a.people[c.Address] = c
	}
	return a.people[address]
}

// Account is a simulated account as the page and tests see it.
type Account struct {
	SID, Token, Name string
	Rotated          string // the token that it had before
	DebugURL         string // called with every error and warning of a webhook
	Ahead            time.Duration
	Senders          []Sender
	Customers        []Customer
	Outcome          Outcome
	Chaos            Chaos
	AdvancedOptOut   bool
}

// Mint makes an account with one sender and three customers; the last one hides the number. It is in the file before
// anybody can use it.
func (s *Simulator) Mint(name, number string) Account {
	s.mu.Lock()
	v := s.mint(name, number).view()
	s.mu.Unlock()
	s.saveNow()
	return v
}

// MintFor gives the account that was minted for a purpose, and mints it the first time.
func (s *Simulator) MintFor(purpose, name, number string) Account {
	s.mu.Lock()
	for _, a := range s.state.Accounts {
		if a.Purpose == purpose {
			v := a.view()
			s.mu.Unlock()
			return v
		}
	}
	a := s.mint(name, number)
	a.Purpose = purpose
	v := a.view()
	s.mu.Unlock()
	s.saveNow()
	return v
}

// mint is called with the lock held.
func (s *Simulator) mint(name, number string) *account {
	a := &account{
		SID: id("AC"), Token: id(""), Rotated: id(""), Name: name, Outcome: Outcome{Final: "read"},
		Senders: []*Sender{{SID: id("XE"), Number: number, Name: name}},
		Customers: []*Customer{
			{Name: "Kari Nordli", Address: "whatsapp:+4740000142", BSUID: "NO.1A2B3C4D5E6F7G8H9I0J"},
			{Name: "Jonas Bakke", Address: "whatsapp:+4740000143", BSUID: "NO.2B3C4D5E6F7G8H9I0J1A"},
			{Name: "Amina Yusuf", Address: "whatsapp:NO.3C4D5E6F7G8H9I0J1A2B", BSUID: "NO.3C4D5E6F7G8H9I0J1A2B"},
		},
	}
	a.addSamples(s.o.Now())
	s.state.Accounts = append(s.state.Accounts, a)
	s.changed()
	return a
}

func (a *account) view() Account {
	v := Account{
		SID: a.SID, Token: a.Token, Name: a.Name, Rotated: a.Rotated, DebugURL: a.DebugURL, Ahead: a.Ahead, Outcome: a.Outcome, Chaos: a.Chaos,
		AdvancedOptOut: a.AdvancedOptOut,
	}
	v.Chaos.Rates = maps.Clone(a.Chaos.Rates)
	for _, s := range a.Senders {
		v.Senders = append(v.Senders, *s)
	}
	for _, c := range a.Customers {
		v.Customers = append(v.Customers, *c)
	}
	return v
}

// Accounts gives all accounts, the oldest first.
func (s *Simulator) Accounts() []Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Account
	for _, a := range s.state.Accounts {
		out = append(out, a.view())
	}
	return out
}

// Account gives one account, and whether there is one.
func (s *Simulator) Account(sid string) (Account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	if a == nil {
		return Account{}, false
	}
	return a.view(), true
}

// Ahead gives how far an account's clock runs ahead; 0 when there is no such account.
func (s *Simulator) Ahead(sid string) time.Duration {
	a, _ := s.Account(sid)
	return a.Ahead
}

// Has tells whether this simulator minted the SID.
func (s *Simulator) Has(sid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account(sid) != nil
}

// with runs f on an account with the lock held, and tells that it has changed; false when there is no such account.
func (s *Simulator) with(sid string, f func(*account)) bool {
	return s.look(sid, func(a *account) { f(a); s.changed() })
}

// look is with for what changes nothing that anybody watches.
func (s *Simulator) look(sid string, f func(*account)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	if a == nil {
		return false
	}
	f(a)
	return true
}

// SetInboundURL does what a person does in the console: it pastes the address for incoming messages of a sender.
func (s *Simulator) SetInboundURL(sid, number, address string) bool {
	return s.onSender(sid, number, func(x *Sender) { x.InboundURL = address })
}

// SetFallbackURL sets the address that is called when no attempt at the one for incoming messages succeeded.
func (s *Simulator) SetFallbackURL(sid, number, address string) bool {
	return s.onSender(sid, number, func(x *Sender) { x.FallbackURL = address })
}

// SetStatusURL sets the address for reports about messages of a sender that name none themselves.
func (s *Simulator) SetStatusURL(sid, number, address string) bool {
	return s.onSender(sid, number, func(x *Sender) { x.StatusURL = address })
}

// SetDebugURL sets the address of the account's debugger webhook.
func (s *Simulator) SetDebugURL(sid, address string) bool {
	return s.with(sid, func(a *account) { a.DebugURL = address })
}

// onSender runs f on a sender with the lock held; false when there is none.
func (s *Simulator) onSender(sid, number string, f func(*Sender)) bool {
	found := false
	return s.with(sid, func(a *account) {
		if x := a.sender(number); x != nil {
			f(x)
			found = true
		}
	}) && found
}

// AddSender adds a WhatsApp sender to an account; false when the account has the number or does not exist.
func (s *Simulator) AddSender(sid, number, name string) bool {
	added := false
	return s.with(sid, func(a *account) {
		if added = a.sender(number) == nil; added {
			a.Senders = append(a.Senders, &Sender{SID: id("XE"), Number: number, Name: name})
		}
	}) && added
}

// AddCustomer adds a person with a phone to an account; false when there is one with this address or no such account.
func (s *Simulator) AddCustomer(sid string, c Customer) bool {
	added := false
	return s.with(sid, func(a *account) {
		if added = a.customer(c.Address) == nil; added {
			a.Customers = append(a.Customers, &c)
		}
	}) && added
}

// SetOutcome says what becomes of the account's messages from now on.
func (s *Simulator) SetOutcome(sid string, o Outcome) bool {
	return s.with(sid, func(a *account) { a.Outcome = o })
}

// SetSuspended suspends an account or lifts it.
func (s *Simulator) SetSuspended(sid string, on bool) bool {
	return s.with(sid, func(a *account) { a.Suspended = on })
}

// Reset empties the phones and the ledger of an account, lets its messages be read again and ends all chaos. SID, token,
// senders, customers and clock stay.
func (s *Simulator) Reset(sid string) bool {
	return s.with(sid, func(a *account) {
		s.dropFiles(a.Messages)
		a.Messages, a.index, a.ledger, a.faults, a.counts = nil, nil, nil, nil, nil
		a.Outcome, a.Chaos = Outcome{Final: "read"}, Chaos{}
	})
}

// SetAhead says how far the account's clock runs ahead.
func (s *Simulator) SetAhead(sid string, ahead time.Duration) bool {
	return s.with(sid, func(a *account) { a.Ahead = ahead })
}

// Advance moves the account's clock ahead.
func (s *Simulator) Advance(sid string, d time.Duration) bool {
	return s.with(sid, func(a *account) { a.Ahead += d })
}
