package inbox

import (
	"encoding/json"
	"strings"

	"kanal/models"
)

// accept lists the endings of files that can be sent, as a file field wants them.
func accept() string {
	var all []string
	for _, t := range models.FileTypes() {
		all = append(all, t.Extensions...)
	}
	return strings.Join(all, ",")
}

// uploadLimits gives the script what it checks before a file leaves the browser: how large a file may be, by its ending.
func uploadLimits() string {
	limits := map[string]int64{}
	for _, t := range models.FileTypes() {
		for _, e := range t.Extensions {
			limits[e] = t.Max
		}
	}
	b, _ := json.Marshal(limits)
	return string(b)
}

// captioned lists the endings of files with which WhatsApp shows a text.
func captioned() string {
	var all []string
	for _, t := range models.FileTypes() {
		if t.Caption() {
			all = append(all, t.Extensions...)
		}
	}
	return strings.Join(all, ",")
}

// textApart tells whether the text goes as a message of its own before the files.
func (c Composer) textApart() bool {
	if len(c.Uploads) == 0 {
		return false
	}
	t, err := models.FileTypeOf(c.Uploads[0].ContentType)
	return err == nil && !t.Caption()
}
