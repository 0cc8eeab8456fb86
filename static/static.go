// Package static holds what browsers load: style, scripts, fonts, icons. All of it lives under one path that ends with
// a hash of the content, so that a file can be kept for ever and scripts can import each other by relative names.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"strings"
)

// FS holds the files.
//
//go:embed app.css icons.svg favicon.svg favicon-dot.svg htmx.min.js js/*.js fonts/*
var FS embed.FS

var version = hash()

func hash() string {
	h := sha256.New()
	err := fs.WalkDir(FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := FS.ReadFile(path)
		_, _ = h.Write([]byte(path))
		_, _ = h.Write(b)
		return err
	})
	if err != nil {
		panic(err) // the files are part of the program
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// Prefix is where the files are served.
func Prefix() string { return "/static/" + version + "/" }

// URL gives the address of a file.
func URL(name string) string { return Prefix() + name }

// ContentType gives the media type of a file, by its name.
func ContentType(name string) string {
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "css":
		return "text/css; charset=utf-8"
	case "js":
		return "text/javascript; charset=utf-8"
	case "svg":
		return "image/svg+xml"
	case "woff2":
		return "font/woff2"
	}
	return "text/plain; charset=utf-8"
}
