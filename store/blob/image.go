package blob

import (
	"bufio"
	"bytes"
	"context"
	"image"
	"image/color"
	_ "image/gif" // the first picture of one
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // stickers

	"kanal/models"
)

// ErrNoPicture says that a file is no picture, or none of which a small one can be made: it is broken or would take too
// much memory.
var ErrNoPicture = models.E(models.KindInvalid, "file.no_picture")

const (
	thumbSide = 640 // the longer side of a small picture
	maxPixels = 24_000_000
	maxMemory = 64 << 20 // of one decoded picture
)

// Picture is a small picture of a large one. Width and Height are those of the large one as people see it, also when
// there is no small one.
type Picture struct {
	Content     []byte
	ContentType string // image/jpeg, or image/png when something shines through
	Width       int
	Height      int
}

// decoding lets one picture be decoded at a time: it is what takes most memory.
var decoding = make(chan struct{}, 1)

// Thumbnail makes a small picture of a JPEG, PNG, GIF or WebP file. How large it is is asked before it is decoded.
// ErrNoPicture; the picture's size may then still be known.
func Thumbnail(ctx context.Context, r io.ReadSeeker) (Picture, error) {
	select {
	case decoding <- struct{}{}:
		defer func() { <-decoding }()
	case <-ctx.Done():
		return Picture{}, ctx.Err()
	}
	config, _, err := image.DecodeConfig(bufio.NewReader(r))
	if err != nil || config.Width < 1 || config.Height < 1 {
		return Picture{}, ErrNoPicture
	}
	p := Picture{Width: config.Width, Height: config.Height}
	about, err := readJPEG(r)
	if err != nil {
		return p, err
	}
	if about.orientation >= 5 {
		p.Width, p.Height = p.Height, p.Width
	}
	if about.memory(config) > maxMemory || config.Width*config.Height > maxPixels {
		return p, ErrNoPicture
	}
	m, err := decode(r, config)
	if err != nil {
		return p, ErrNoPicture
	}
	return p.encode(upright(shrink(m), about.orientation))
}

// decode decodes a picture; of one that moves the first. That may stand in a larger one, which takes as much again.
func decode(r io.ReadSeeker, config image.Config) (image.Image, error) {
	if w, moves := readWebP(r); moves {
		if 2*(jpegFacts{}).memory(config) > maxMemory {
			return nil, ErrNoPicture
		}
		return w.decode(r)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	m, _, err := image.Decode(bufio.NewReader(r))
	return m, err
}

// memory is what decoding takes, roughly: a byte for each value, and in a progressive JPEG four more until its end.
func (about jpegFacts) memory(c image.Config) int {
	each := 1
	if about.progressive {
		each = 5
	}
	pixels := c.Width * c.Height
	switch c.ColorModel {
	case color.YCbCrModel:
		if about.per > 0 {
			return pixels / about.per * about.values * each
		}
		return pixels * 3 * each
	case color.GrayModel:
		return pixels * each
	case color.RGBA64Model, color.NRGBA64Model:
		return pixels * 8
	}
	return pixels * 4 * each
}

func (p Picture) encode(m *image.RGBA) (Picture, error) {
	var b bytes.Buffer
	var err error
	if m.Opaque() {
		p.ContentType, err = "image/jpeg", jpeg.Encode(&b, m, &jpeg.Options{Quality: 80})
	} else {
		p.ContentType, err = "image/png", png.Encode(&b, m)
	}
	if err != nil {
		return p, models.Wrap(err, "encode picture")
	}
	p.Content = b.Bytes()
	return p, nil
}

// shrink makes a picture fit into a square of thumbSide. It halves as often as it can: every pixel counts, and no
// more than a quarter of the large picture is needed beside it.
func shrink(m image.Image) *image.RGBA {
	size := m.Bounds().Size()
	for longer(size) > 2*thumbSide {
		size = size.Add(image.Pt(1, 1)).Div(2)
		m = scaled(m, size)
	}
	if long := longer(size); long > thumbSide {
		size = image.Pt(max(size.X*thumbSide/long, 1), max(size.Y*thumbSide/long, 1))
	}
	return scaled(m, size)
}

func longer(p image.Point) int { return max(p.X, p.Y) }

func scaled(m image.Image, size image.Point) *image.RGBA {
	to := image.NewRGBA(image.Rectangle{Max: size})
	draw.ApproxBiLinear.Scale(to, to.Bounds(), m, m.Bounds(), draw.Src, nil)
	return to
}

// upright turns a picture as its camera asks for (EXIF, Orientation).
func upright(m *image.RGBA, orientation int) *image.RGBA {
	if orientation < 2 || orientation > 8 {
		return m
	}
	size := m.Bounds().Size()
	w, h := size.X, size.Y
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	if orientation >= 5 {
		to = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			at := [...]image.Point{
				2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x},
			}[orientation]
			to.SetRGBA(at.X, at.Y, m.RGBAAt(x, y))
		}
	}
	return to
}
