// Package migrations holds the SQL that makes and changes the database: one folder for each of the two engines, with
// the same numbers and names in both.
package migrations

import "embed"

// FS holds the folders sqlite and postgres.
//
//go:embed sqlite/*.sql postgres/*.sql
var FS embed.FS
