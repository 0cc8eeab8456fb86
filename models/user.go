package models

import (
	"strings"
	"time"
)

// Role says what a person may do.
type Role string

// The roles, from most to least.
const (
	Administrator Role = "administrator"
	Supervisor    Role = "supervisor"
	Agent         Role = "agent"
)

// Roles lists the roles in the order in which a form offers them.
func Roles() []Role { return []Role{Administrator, Supervisor, Agent} }

// Valid tells whether the role is one of ours.
func (r Role) Valid() bool { return r == Administrator || r == Supervisor || r == Agent }

// SeesAll tells whether the role may see every conversation.
func (r Role) SeesAll() bool { return r == Administrator || r == Supervisor }

// User is a person who signs in.
type User struct {
	ID            UserID
	Email         string // lower case, unique
	Name          string
	Role          Role
	PasswordHash  string // argon2id; empty until the person has used the one-time link
	Language      string // "" follows the browser
	Theme         string // "" follows the system, else light or dark
	TimeZone      string // "" follows the organisation
	EnterSends    bool
	Shortcuts     bool
	FailedLogins  int
	LockedUntil   *time.Time
	DeactivatedAt *time.Time
	Version       int
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Active tells whether the person may sign in.
func (u User) Active() bool { return u.DeactivatedAt == nil }

// Rules of wrong passwords: the fifth in a row makes the user wait, each further one twice as long.
const (
	freeLoginTries = 4
	shortestLock   = time.Minute
	longestLock    = 15 * time.Minute
)

// Locked tells whether the user must wait before the next try to sign in.
func (u User) Locked(now time.Time) bool { return u.LockedUntil != nil && now.Before(*u.LockedUntil) }

// AfterWrongPassword gives the user after one more wrong password. A day without any begins the count anew.
func (u User) AfterWrongPassword(now time.Time) User {
	if u.LockedUntil != nil && now.Sub(*u.LockedUntil) > 24*time.Hour {
		u.FailedLogins = 0
	}
	u.FailedLogins++
	if over := u.FailedLogins - freeLoginTries - 1; over >= 0 {
		until := now.Add(min(shortestLock<<min(over, 10), longestLock))
		u.LockedUntil = &until
	}
	return u
}

// NormalEmail gives an address as it is stored and compared: trimmed and in lower case.
func NormalEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// Viewer is who reads: every read that a person causes takes one, and what they may see is part of the query.
// IP and RequestID say from where, for the audit log.
type Viewer struct {
	User      UserID
	Role      Role
	IP        string
	RequestID string
}

// UserLink is a one-time link with which a new user, or one who has lost the password, sets a password.
type UserLink struct {
	ID        int64
	UserID    UserID
	TokenHash string
	Purpose   string // LinkInvite or LinkReset
	CreatedBy UserID
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    *time.Time
}

// What a one-time link is for.
const (
	LinkInvite = "invite"
	LinkReset  = "reset"
)

// UserLinkLifetime is how long a one-time link works.
const UserLinkLifetime = 72 * time.Hour

// LoginSession is one signed-in browser, as its owner sees it in the list.
type LoginSession struct {
	TokenHash string
	UserID    UserID
	CreatedAt time.Time
	ExpiresAt time.Time
	IP        string
	UserAgent string
}

// FirstName gives the first word of the name.
func (u User) FirstName() string {
	first, _, _ := strings.Cut(u.Name, " ")
	return first
}
