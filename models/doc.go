// Package models holds what Kanal is about: entities, the rules that need nothing else, events, the arguments of
// jobs, and the message keys of errors. It knows no database, no HTTP and no clock: the time is passed in.
package models
