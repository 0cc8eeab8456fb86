package blob

import (
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// HeadSize is how much of a file's begin Sniff wants to see.
const HeadSize = 4096

// Sniff says by its begin what a file is: a media type without parameters, application/octet-stream for what is not
// known. What the sender said plays no part.
func Sniff(head []byte) string {
	kind, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
	return kind
}
