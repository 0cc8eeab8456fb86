package models

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what went wrong in terms a caller can act on. web maps each kind to one HTTP status.
type Kind int

// The kinds of errors. Zero is an internal error: the cause is logged and never shown.
const (
	KindInternal     Kind = iota
	KindInvalid           // the input is wrong: 422
	KindNotFound          // no such thing, or none that the viewer may see: 404
	KindForbidden         // the viewer may not do this: 403
	KindUnauthorized      // nobody is signed in: 401
	KindConflict          // somebody else changed it first: 409
	KindLimited           // too many tries: 429
	KindUnavailable       // a part we need does not answer: 503
)

// Error is the one error type of Kanal. Key names a sentence in the catalogs (views/i18n); Args are
// name, value pairs for it. Cause goes to the log and is never shown to a person.
type Error struct {
	Kind  Kind
	Key   string
	Args  []any
	Cause error
}

// Error gives the key and the cause, for logs.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Key + ": " + e.Cause.Error()
	}
	return e.Key
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is matches errors of the same kind and key, so that errors.Is(err, ErrNotFound) holds for every copy.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Key == e.Key
}

// E makes an error of a kind with the key of its sentence and the sentence's name, value pairs.
func E(kind Kind, key string, args ...any) *Error { return &Error{Kind: kind, Key: key, Args: args} }

// Wrap makes an internal error with its cause.
func Wrap(cause error, format string, args ...any) *Error {
	return &Error{Kind: KindInternal, Key: "error.internal", Cause: fmt.Errorf(format+": %w", append(args, cause)...)}
}

// KindOf gives the kind of any error; what is not ours is internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var f FieldErrors
	if errors.As(err, &f) {
		return KindInvalid
	}
	return KindInternal
}

// ErrNotFound is the answer for what does not exist and for what the viewer may not see.
var ErrNotFound = E(KindNotFound, "error.not_found")

// FieldError is one problem with one field of a form.
type FieldError struct {
	Field string
	Key   string
	Args  []any
}

// FieldErrors are the problems of a form, in the order of its fields. As an error its kind is KindInvalid.
type FieldErrors []FieldError

// Error lists the fields and keys, for logs and tests.
func (f FieldErrors) Error() string {
	parts := make([]string, len(f))
	for i, e := range f {
		parts[i] = e.Field + ": " + e.Key
	}
	return strings.Join(parts, ", ")
}

// Add appends a problem; args are name, value pairs for its sentence.
func (f *FieldErrors) Add(field, key string, args ...any) {
	*f = append(*f, FieldError{Field: field, Key: key, Args: args})
}

// Err gives nil when there are no problems.
func (f FieldErrors) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}
