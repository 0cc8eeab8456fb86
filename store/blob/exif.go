package blob

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"kanal/models"
)

// jpegFacts are what a JPEG file says before its picture begins.
type jpegFacts struct {
	orientation int // 1 to 8, 0 when it says nothing
	progressive bool
	values, per int // of so many pixels so many values are kept: colours may be coarser than light; 0 when it is not said
}

// Markers of a JPEG file.
const (
	markerBaseline    = 0xC0
	markerExtended    = 0xC1
	markerProgressive = 0xC2
	markerStart       = 0xD8
	markerScan        = 0xDA
	markerExif        = 0xE1
)

// readJPEG reads a JPEG file's segments up to its picture; of any other file it reads the begin and says nothing. What
// it cannot make sense of ends the reading: the decoder judges the file.
func readJPEG(r io.ReadSeeker) (jpegFacts, error) {
	var facts jpegFacts
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return facts, models.Wrap(err, "read picture")
	}
	in := bufio.NewReader(r)
	var start [2]byte
	if _, err := io.ReadFull(in, start[:]); err != nil || start != [2]byte{0xFF, markerStart} {
		return facts, nil
	}
	for {
		marker, content, ok := segment(in)
		if !ok || marker == markerScan {
			return facts, nil
		}
		switch marker {
		case markerBaseline, markerExtended, markerProgressive:
			facts.progressive = marker == markerProgressive
			facts.values, facts.per = sampling(content)
		}
		if marker == markerExif && facts.orientation == 0 {
			facts.orientation = orientation(content)
		}
	}
}

// segment reads the next segment of a JPEG file.
func segment(in *bufio.Reader) (marker byte, content []byte, ok bool) {
	var head [4]byte
	if b, err := in.ReadByte(); err != nil || b != 0xFF {
		return 0, nil, false
	}
	for head[0] = 0xFF; head[0] == 0xFF; { // a marker may be led in by more than one
		b, err := in.ReadByte()
		if err != nil {
			return 0, nil, false
		}
		head[0] = b
	}
	if head[0] == markerScan {
		return markerScan, nil, true
	}
	if _, err := io.ReadFull(in, head[1:3]); err != nil {
		return 0, nil, false
	}
	length := int(binary.BigEndian.Uint16(head[1:3])) - 2
	if length < 0 {
		return 0, nil, false
	}
	content = make([]byte, length)
	_, err := io.ReadFull(in, content)
	return head[0], content, err == nil
}

// sampling reads from a frame's head how many values a JPEG file keeps of how many pixels.
func sampling(content []byte) (values, per int) {
	const before = 6 // precision, height, width, number of components
	if len(content) < before || len(content) < before+3*int(content[5]) {
		return 0, 0
	}
	h, v := 0, 0
	for c := content[before:]; len(c) >= 3; c = c[3:] {
		x, y := int(c[1]>>4), int(c[1]&15)
		h, v, values = max(h, x), max(v, y), values+x*y
	}
	return values, h * v
}

// orientation reads how the camera was held from a segment of EXIF data, 0 when it does not say.
func orientation(content []byte) int {
	tiff, ok := bytes.CutPrefix(content, []byte("Exif\x00\x00"))
	if !ok || len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:8]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	entries := int(order.Uint16(tiff[at:]))
	for i := range entries {
		from := at + 2 + int64(i)*12
		if from+12 > int64(len(tiff)) {
			return 0
		}
		entry := tiff[from : from+12]
		if order.Uint16(entry) == 0x0112 { // Orientation
			if n := int(order.Uint16(entry[8:])); n >= 1 && n <= 8 {
				return n
			}
			return 0
		}
	}
	return 0
}
