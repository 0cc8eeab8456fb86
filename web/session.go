package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/web/live"
)

// Names of our cookies.
const (
	sessionCookie  = "kanal"
	languageCookie = "lang"
	themeCookie    = "theme"
	flashCookie    = "flash"
)

// How long somebody stays signed in, and how long a choice without a profile is kept.
const (
	rememberedLife = 14 * 24 * time.Hour
	browserLife    = 12 * time.Hour
	choiceLife     = 365 * 24 * time.Hour
)

// userKey names the user in the data of a login session.
const userKey = "user"

func (s *Server) newSessions() *scs.SessionManager {
	m := scs.New()
	m.Store = s.store.LoginSessionStore()
	m.Lifetime = rememberedLife
	m.HashTokenInStore = true
	return m
}

// hashToken gives a session's name in the database, as the session library makes it.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func newRequestID() string { return rand.Text()[:16] }

// person is who asks. The zero viewer is nobody.
type person struct {
	viewer  models.Viewer
	user    models.User
	session string // the hash of the login session's token
	expires time.Time
	theme   string
}

const personKey = "person"

// personOf gives who asks, nil before that is known.
func personOf(c echo.Context) *person {
	p, _ := c.Get(personKey).(*person)
	return p
}

// viewer gives who asks, for reads and for use cases.
func viewer(c echo.Context) models.Viewer { return personOf(c).viewer }

// visitor gives a viewer who is nobody, with where the request comes from.
func visitor(c echo.Context) models.Viewer {
	return models.Viewer{IP: c.RealIP(), RequestID: requestID(c)}
}

// nobodyIn is a person who is not signed in.
var nobodyIn = person{}

// identify finds out who asks and in which language and theme they read. Nothing is written.
func (s *Server) identify(c echo.Context) error {
	p, err := s.who(c)
	if err != nil {
		return err
	}
	s.greet(c, p)
	return nil
}

// who gives the person of the session cookie; nobody when there is none, or it has ended, or the user was deactivated.
func (s *Server) who(c echo.Context) (person, error) {
	p := person{viewer: visitor(c)}
	cookie, err := c.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return p, nil
	}
	ctx, err := s.sessions.Load(c.Request().Context(), cookie.Value)
	if err != nil {
		return p, err
	}
	with(c, ctx)
	id := models.UserID(s.sessions.GetInt64(ctx, userKey))
	if id == 0 {
		return p, nil
	}
	u, err := s.store.User(ctx, id)
	if errors.Is(err, models.ErrNotFound) || err == nil && !u.Active() {
		return p, nil
	}
	p.viewer.User, p.viewer.Role, p.user = u.ID, u.Role, u
	p.session, p.expires = hashToken(cookie.Value), s.sessions.Deadline(ctx)
	return p, err
}

// greet sets who asks, the language, the time zone and the theme: cookie, then profile, then browser.
func (s *Server) greet(c echo.Context, p person) {
	if p.viewer.IP == "" {
		p.viewer = visitor(c)
	}
	ctx := c.Request().Context()
	lang := i18n.Match(cookieOf(c, languageCookie), p.user.Language, c.Request().Header.Get("Accept-Language"))
	p.theme = p.user.Theme
	if t := cookieOf(c, themeCookie); t == "light" || t == "dark" || t == "system" {
		p.theme = t
	}
	if p.theme == "system" {
		p.theme = ""
	}
	c.Set(personKey, &p)
	with(c, i18n.With(ctx, i18n.Locale{Lang: lang, Zone: s.zone(ctx, p.user)}))
}

// zone gives the user's time zone, else the organisation's, else the server's.
func (s *Server) zone(ctx context.Context, u models.User) *time.Location {
	name := u.TimeZone
	if name == "" && u.ID != 0 {
		if org, err := s.store.Organisation(ctx); err == nil {
			name = org.TimeZone
		}
	}
	if name == "" {
		return time.Local
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.Local
	}
	return zone
}

// signIn begins a login session for a user, under a new token; one that this browser had ends.
func (s *Server) signIn(c echo.Context, u models.User, remember bool) error {
	if p := personOf(c); p.session != "" {
		if err := s.service.EndLoginSession(c.Request().Context(), p.viewer, p.session); err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
	}
	ctx, err := s.sessions.Load(c.Request().Context(), "")
	if err != nil {
		return err
	}
	if err := errors.Join(s.sessions.Clear(ctx), s.sessions.RenewToken(ctx)); err != nil {
		return err
	}
	life := browserLife
	if remember {
		life = rememberedLife
	}
	s.sessions.Put(ctx, userKey, int64(u.ID))
	s.sessions.SetDeadline(ctx, s.store.Now().Add(life))
	token, _, err := s.sessions.Commit(ctx)
	if err != nil {
		return err
	}
	err = s.store.LoginSessionStore().NameLoginSession(ctx, models.LoginSession{
		TokenHash: hashToken(token), UserID: u.ID, IP: c.RealIP(), UserAgent: shorten(c.Request().UserAgent(), 300),
	})
	if err != nil {
		return err
	}
	if !remember {
		life = 0
	}
	s.setCookie(c, sessionCookie, token, life)
	return nil
}

// signOut ends this browser's login session and its streams.
func (s *Server) signOut(c echo.Context) error {
	p := personOf(c)
	err := s.service.EndLoginSession(c.Request().Context(), p.viewer, p.session)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	s.setCookie(c, sessionCookie, "", -1)
	// What the browser keeps for this origin, such as texts that wait to be sent, goes too.
	c.Response().Header().Set("Clear-Site-Data", `"storage"`)
	return nil
}

func cookieOf(c echo.Context, name string) string {
	cookie, err := c.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setCookie sets one of our cookies: 0 is for as long as the browser runs, less than 0 takes it away.
func (s *Server) setCookie(c echo.Context, name, value string, life time.Duration) {
	age := int(life / time.Second)
	if life < 0 {
		age = -1
	}
	c.SetCookie(&http.Cookie{ //nolint:gosec // Secure is set when the public address is https
		Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.https(), SameSite: http.SameSiteLaxMode,
	})
}

// undoForms gives the form of the page that takes back what was confirmed.
var undoForms = map[string]string{"done.resolved": "form-reopen"}

// takeFlash gives the confirmation that the answer before this one left, once, and the form that takes it back. It is
// the key of a sentence and perhaps the id of a user whom the sentence names, so that a cookie that somebody else set can
// say nothing of its own.
func (s *Server) takeFlash(c echo.Context) (said, undo string) {
	key, user, _ := strings.Cut(cookieOf(c, flashCookie), "|")
	if key == "" {
		return "", ""
	}
	s.setCookie(c, flashCookie, "", -1)
	if !strings.HasPrefix(key, "done.") || !i18n.Has(key) {
		return "", ""
	}
	if id, err := models.ParseID[models.UserID](user); err == nil {
		if u, err := s.store.User(c.Request().Context(), id); err == nil {
			return text(c, key, "name", u.FirstName()), undoForms[key]
		}
	}
	return text(c, key), undoForms[key]
}

// shorten cuts a text to n bytes of valid characters.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// events is the stream of one page.
func (s *Server) events(c echo.Context) error {
	p := *personOf(c)
	who := live.Listener{User: p.viewer.User, Role: p.viewer.Role, Session: p.session, Expires: p.expires}
	// An id that nobody may hear of changes nothing: it only says what is open.
	who.Conversation, _ = models.ParseID[models.ConversationID](c.QueryParam("conversation"))
	who.Account, _ = models.ParseID[models.AccountID](c.QueryParam("account"))
	return s.hub.Serve(c.Response(), c.Request(), who, func(ctx context.Context) (live.Listener, error) {
		return s.listener(ctx, who)
	})
}

// listener reads again who listens: the login session must still be there, the user active.
func (s *Server) listener(ctx context.Context, who live.Listener) (live.Listener, error) {
	_, ok, err := s.store.LoginSessionStore().FindCtx(ctx, who.Session)
	if err != nil {
		return who, err
	}
	u, err := s.store.User(ctx, who.User)
	if !ok || errors.Is(err, models.ErrNotFound) || err == nil && !u.Active() {
		return who, errSignedOut
	}
	if err != nil {
		return who, err
	}
	who.Role = u.Role
	who.Queues, err = s.store.QueuesOf(ctx, u.ID)
	return who, err
}
