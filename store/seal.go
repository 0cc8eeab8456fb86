package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// Key is 32 bytes that seal secrets.
type Key [32]byte

// ErrKey says that a key is not 32 bytes in base64.
var ErrKey = models.E(models.KindInvalid, "start.secret_key")

// ErrWrongKey says that the database was sealed with another key.
var ErrWrongKey = models.E(models.KindConflict, "start.wrong_key")

// ParseKeys reads keys in base64, separated by commas. ErrKey.
func ParseKeys(s string) ([]Key, error) {
	var keys []Key
	for _, part := range strings.Split(s, ",") {
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(part))
		if err != nil || len(b) != len(Key{}) {
			return nil, ErrKey
		}
		keys = append(keys, Key(b))
	}
	return keys, nil
}

// LoadOrMakeKeys reads the keys in the file secret.key of the data dir and makes the file on first start.
func LoadOrMakeKeys(dir string) ([]Key, error) {
	path := filepath.Join(dir, "secret.key")
	b, err := os.ReadFile(path) //nolint:gosec // the administrator's own data dir
	if err == nil {
		return ParseKeys(string(b))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, failed(err, "read secret key")
	}
	var k Key
	_, _ = rand.Read(k[:])
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(k[:])+"\n"), 0o600); err != nil {
		return nil, failed(err, "write secret key")
	}
	return []Key{k}, nil
}

// sealer seals with its first key and opens with all. A sealed value is "keyid:base64": random nonce, AES-256-GCM, the
// id of the row as associated data, so that a value moved to another row does not open.
type sealer struct {
	keys  []Key
	ids   []string
	aeads []cipher.AEAD
}

func newSealer(keys []Key) (*sealer, error) {
	s := &sealer{keys: keys}
	for _, k := range keys {
		b, err := aes.NewCipher(k[:])
		if err != nil {
			return nil, failed(err, "make cipher")
		}
		g, err := cipher.NewGCMWithRandomNonce(b)
		if err != nil {
			return nil, failed(err, "make cipher")
		}
		sum := sha256.Sum256(append([]byte("kanal key id"), k[:]...))
		s.ids, s.aeads = append(s.ids, hex.EncodeToString(sum[:4])), append(s.aeads, g)
	}
	return s, nil
}

var errUnsealed = errors.New("no key opens this value")

// Seal seals a secret for a row, named like "accounts/7".
func (s *Store) Seal(secret models.Secret, row string) string {
	sealed := s.sealer.aeads[0].Seal(nil, nil, []byte(secret.Reveal()), []byte(row)) //nolint:gosec // this kind of cipher makes a random nonce itself
	return s.sealer.ids[0] + ":" + base64.StdEncoding.EncodeToString(sealed)
}

// Unseal opens what Seal made for the same row. An internal error when no key opens it.
func (s *Store) Unseal(sealed, row string) (models.Secret, error) {
	id, data, ok := strings.Cut(sealed, ":")
	b, err := base64.StdEncoding.DecodeString(data)
	if !ok || err != nil {
		return "", models.Wrap(errUnsealed, "unseal %s", row)
	}
	for i, known := range s.sealer.ids {
		if known != id {
			continue
		}
		if plain, err := s.sealer.aeads[i].Open(nil, nil, b, []byte(row)); err == nil {
			return models.Secret(plain), nil
		}
	}
	return "", models.Wrap(errUnsealed, "unseal %s", row)
}

// Sign signs data for a purpose with a key of that purpose's own, made from the first secret key.
func (s *Store) Sign(purpose string, data []byte) []byte {
	return signature(s.sealer.keys[0], purpose, data)
}

// Signed tells whether Sign made the signature for the same purpose and data, with any of the secret keys.
func (s *Store) Signed(purpose string, data, sum []byte) bool {
	for _, k := range s.sealer.keys {
		if hmac.Equal(sum, signature(k, purpose, data)) {
			return true
		}
	}
	return false
}

func signature(k Key, purpose string, data []byte) []byte {
	derived, _ := hkdf.Key(sha256.New, k[:], nil, "kanal "+purpose, sha256.Size) // fails only for a length that is too large
	mac := hmac.New(sha256.New, derived)
	mac.Write(data)
	return mac.Sum(nil)
}

// The check value and where it is kept.
const (
	keyCheck      = "key_check"
	keyCheckRow   = "settings/key_check"
	keyCheckPlain = "kanal"
)

// CheckKey compares the keys with the check value in the database and writes one when there is none. When the first
// key is a new one, everything is sealed anew with it, so that the old one can be taken away. ErrWrongKey.
func (s *Store) CheckKey(ctx context.Context) error {
	return s.InTx(ctx, func(tx *Tx) error {
		v, err := tx.Setting(ctx, keyCheck)
		if errors.Is(err, models.ErrNotFound) {
			return tx.SetSetting(ctx, keyCheck, s.Seal(keyCheckPlain, keyCheckRow))
		}
		if err != nil {
			return err
		}
		if plain, err := s.Unseal(v, keyCheckRow); err != nil || plain.Reveal() != keyCheckPlain {
			return ErrWrongKey
		}
		if s.sealedByFirst(v) {
			return nil
		}
		return tx.sealAnew(ctx)
	})
}

func (s *Store) sealedByFirst(v string) bool { return strings.HasPrefix(v, s.sealer.ids[0]+":") }

// sealAnew seals the tokens of all accounts and the check value with the first key.
func (tx *Tx) sealAnew(ctx context.Context) error {
	var accounts []models.Account
	if err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Order("id").Find(&accounts).Error; err != nil {
		return failed(err, "lock accounts")
	}
	for _, a := range accounts {
		token, err := tx.s.sealedAnew(a.TokenSealed, a.ID.Row())
		if err != nil {
			return err
		}
		next, err := tx.s.sealedAnew(a.NextTokenSealed, a.ID.Row())
		if err != nil {
			return err
		}
		old, err := tx.s.sealedAnew(a.OldTokenSealed, a.ID.Row())
		if err != nil {
			return err
		}
		res := tx.q(ctx).Model(&models.Account{}).Where("id = ?", a.ID).
			UpdateColumns(map[string]any{"token_sealed": token, "next_token_sealed": next, "old_token_sealed": old})
		if err := changed(res, "seal anew"); err != nil {
			return err
		}
	}
	return tx.SetSetting(ctx, keyCheck, tx.s.Seal(keyCheckPlain, keyCheckRow))
}

func (s *Store) sealedAnew(sealed, row string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	plain, err := s.Unseal(sealed, row)
	if err != nil {
		return "", err
	}
	return s.Seal(plain, row), nil
}
