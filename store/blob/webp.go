package blob

import (
	"bytes"
	"encoding/binary"
	"image"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// Flags of a WebP file's head, and sizes of its parts in bytes.
const (
	webpMoves = 1 << 1
	webpAlpha = 1 << 4
	webpHead  = 12 // RIFF, size, WEBP
	webpX     = 10 // what is in a VP8X chunk
	webpFrame = 16 // what stands before the picture of a frame
)

// movingWebP is the first picture of a WebP file that moves.
type movingWebP struct {
	canvas image.Point
	frame  image.Rectangle // where the first picture stands in it
	alpha  bool
	at     int64 // where the first picture is in the file, and how long
	length int64
}

// readWebP finds the first picture of a WebP file that moves; false for any other file.
func readWebP(r io.ReadSeeker) (w movingWebP, moves bool) {
	var head [webpHead]byte
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return w, false
	}
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WEBP" {
		return w, false
	}
	for at := int64(webpHead); ; {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return w, false
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "VP8X":
			var x [webpX]byte
			if _, err := io.ReadFull(r, x[:]); err != nil || size != webpX || x[0]&webpMoves == 0 {
				return w, false
			}
			w.canvas = image.Pt(int24(x[4:])+1, int24(x[7:])+1)
		case "ANMF":
			var f [webpFrame + 4]byte // and what the picture begins with
			if _, err := io.ReadFull(r, f[:]); err != nil || size < int64(len(f)) {
				return w, false
			}
			from := image.Pt(2*int24(f[:]), 2*int24(f[3:]))
			w.frame = image.Rectangle{Min: from, Max: from.Add(image.Pt(int24(f[6:])+1, int24(f[9:])+1))}
			w.alpha = string(f[webpFrame:]) == "ALPH"
			w.at, w.length = at+int64(len(chunk))+webpFrame, size-webpFrame
			return w, w.frame.In(image.Rectangle{Max: w.canvas})
		}
		at += int64(len(chunk)) + size + size%2
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			return w, false
		}
	}
}

func int24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// decode gives the first picture in its place. The decoder knows no moving ones, so it is given a still one.
func (w movingWebP) decode(r io.ReadSeeker) (image.Image, error) {
	if _, err := r.Seek(w.at, io.SeekStart); err != nil {
		return nil, err
	}
	m, err := webp.Decode(io.MultiReader(bytes.NewReader(w.stillHead()), io.LimitReader(r, w.length)))
	if err != nil || m.Bounds().Size() == w.canvas {
		return m, err
	}
	to := image.NewNRGBA(image.Rectangle{Max: w.canvas})
	draw.Draw(to, w.frame, m, m.Bounds().Min, draw.Src)
	return to, nil
}

// stillHead is the head of a file that holds the first picture alone.
func (w movingWebP) stillHead() []byte {
	size := w.frame.Size()
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(webpHead-8+8+webpX+w.length)) //nolint:gosec // part of a file that fits
	b = append(b, "WEBPVP8X"...)
	b = append(b, webpX, 0, 0, 0, 0, 0, 0, 0)
	if w.alpha {
		b[webpHead+8] = webpAlpha
	}
	for _, n := range []int{size.X - 1, size.Y - 1} {
		b = append(b, byte(n), byte(n>>8), byte(n>>16)) //nolint:gosec // its three low bytes
	}
	return b
}
