package models

// Progress is how far an installation has come on its way to answering customers.
type Progress struct {
	Accounts     int // finished ones
	Credentials  bool
	AccountDraft *Account // the newest that is not finished; nil for none
	Silent       *Account // a finished one that no message has reached; nil for none
	FirstMessage bool
	Workstreams  int
	Workstream   *Workstream // the oldest that has no number; nil for none
	ChannelStep  ChannelStep // the furthest step of its wizard
	Claimed      int         // numbers that a workstream has
	Team         int         // active users who are in a queue
	Colleagues   int         // those of them who are not administrators
	Answered     bool        // an answer by a person has reached a customer's phone
	Templates    bool        // there is a message template
}
