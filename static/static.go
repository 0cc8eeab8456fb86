// Package static holds what browsers load: style, scripts, fonts, icons. All of it lives under one path that holds a
// hash of the content, so that a file can be kept for ever and files can name each other by relative paths.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
)

// FS holds the files.
//
//go:embed app.css icons.svg favicon.svg favicon-dot.svg htmx.min.js js/*.js fonts/*
var FS embed.FS

// CacheControl is the header of every file: its address changes when it does.
const CacheControl = "public, max-age=31536000, immutable"

var prefix = "/static/" + hash(FS) + "/"

// hash gives a short name for the content of all files.
func hash(files fs.FS) string {
	h := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, name)
		_, _ = h.Write([]byte(name + "\x00"))
		_, _ = h.Write(b)
		return err
	})
	if err != nil {
		panic(err) // the files are part of the program
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// Prefix is where the files are served.
func Prefix() string { return prefix }

// URL gives the address of a file.
func URL(name string) string { return prefix + name }

// Open gives the content of the file at an address that URL made, and its media type; false for any other address,
// such as one of another version of the program.
func Open(url string) (body []byte, contentType string, ok bool) {
	name, ok := strings.CutPrefix(url, prefix)
	if !ok {
		return nil, "", false
	}
	body, err := FS.ReadFile(name)
	return body, ContentType(name), err == nil
}

// Modules gives the addresses of the scripts that js/app.js is made of, so that a page can ask for all of them at once.
func Modules() []string { return modules }

var modules = moduleURLs()

func moduleURLs() []string {
	names, err := fs.Glob(FS, "js/*.js")
	if err != nil {
		panic(err)
	}
	for i, n := range names {
		names[i] = URL(n)
	}
	return names
}

// ContentType gives the media type of a file, by its name.
func ContentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	}
	return "text/plain; charset=utf-8"
}
