package blob_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"strings"
	"testing"

	"kanal/store/blob"
)

// halves is a picture with a red left and a blue right half.
func halves(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{R: 255, A: 255}
			if x >= w/2 {
				c = color.RGBA{B: 255, A: 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func encoded(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t *testing.T, m image.Image) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, &jpeg.Options{Quality: 95}) })
}

func asPNG(t *testing.T, m image.Image) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, m) })
}

func TestThumbnail(t *testing.T) {
	see := image.NewNRGBA(image.Rect(0, 0, 100, 50))
	sticker, err := os.ReadFile("testdata/sticker.webp")
	if err != nil {
		t.Fatal(err)
	}
	moving := encoded(t, func(b *bytes.Buffer) error {
		first := image.NewPaletted(image.Rect(0, 0, 60, 30), color.Palette{color.White, color.Black})
		return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{first, first}, Delay: []int{1, 1}})
	})
	for _, tt := range []struct {
		name          string
		file          []byte
		kind          string
		width, height int // of the file
		w, h          int // of the small picture
	}{
		{"large jpeg", asJPEG(t, halves(3000, 1501)), "image/jpeg", 3000, 1501, 640, 320},
		{"tall png", asPNG(t, halves(50, 1300)), "image/jpeg", 50, 1300, 24, 640},
		{"small jpeg stays as small", asJPEG(t, halves(100, 50)), "image/jpeg", 100, 50, 100, 50},
		{"transparent png", asPNG(t, see), "image/png", 100, 50, 100, 50},
		{"gif", moving, "image/jpeg", 60, 30, 60, 30},
		{"webp", sticker, "image/png", 64, 64, 64, 64},
		{"line", asPNG(t, halves(4000, 1)), "image/jpeg", 4000, 1, 640, 1},
	} {
		p, err := blob.Thumbnail(context.Background(), bytes.NewReader(tt.file))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		small, _, err := image.Decode(bytes.NewReader(p.Content))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if p.ContentType != tt.kind || blob.Sniff(p.Content) != tt.kind || p.Width != tt.width || p.Height != tt.height || small.Bounds().Size() != image.Pt(tt.w, tt.h) {
			t.Errorf("%s: %s %dx%d, small %v", tt.name, p.ContentType, p.Width, p.Height, small.Bounds())
		}
	}
}

// withOrientation puts EXIF data behind the begin of a JPEG file.
func withOrientation(file []byte, order binary.AppendByteOrder, n uint16) []byte {
	mark := map[binary.AppendByteOrder]string{binary.BigEndian: "MM", binary.LittleEndian: "II"}[order]
	exif := []byte("Exif\x00\x00" + mark)
	exif = order.AppendUint16(exif, 42)
	exif = order.AppendUint32(exif, 8)
	exif = order.AppendUint16(exif, 1)
	exif = order.AppendUint16(exif, 0x0112)
	exif = order.AppendUint16(exif, 3)
	exif = order.AppendUint32(exif, 1)
	exif = order.AppendUint16(exif, n)
	exif = append(exif, 0, 0, 0, 0, 0, 0)
	head := binary.BigEndian.AppendUint16([]byte{0xFF, 0xD8, 0xFF, 0xE1}, uint16(len(exif)+2))
	return append(append(head, exif...), file[2:]...)
}

// TestOrientation holds that the small picture stands as its camera says: where the red half is, for each of the eight.
func TestOrientation(t *testing.T) {
	file := asJPEG(t, halves(40, 20))
	for n, red := range map[uint16]image.Point{
		0: {5, 10}, 1: {5, 10}, 2: {35, 10}, 3: {35, 10}, 4: {5, 10}, 5: {10, 5}, 6: {10, 5}, 7: {10, 35}, 8: {10, 35}, 9: {5, 10},
	} {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			p, err := blob.Thumbnail(context.Background(), bytes.NewReader(withOrientation(file, order, n)))
			if err != nil {
				t.Fatal(err)
			}
			m, err := jpeg.Decode(bytes.NewReader(p.Content))
			if err != nil {
				t.Fatal(err)
			}
			if m.Bounds().Dx() != p.Width || m.Bounds().Dy() != p.Height {
				t.Errorf("%d: the picture is %v, said to be %dx%d", n, m.Bounds(), p.Width, p.Height)
			}
			if r, _, b, _ := m.At(red.X, red.Y).RGBA(); r < 0x8000 || b > 0x8000 {
				t.Errorf("%d: at %v red is %x, blue is %x", n, red, r, b)
			}
		}
	}
}

// bomb is a PNG file that says it is w times h large.
func bomb(file []byte, w, h uint32) []byte {
	b := bytes.Clone(file)
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// TestNoPicture holds that what cannot or must not be decoded is refused before it is.
func TestNoPicture(t *testing.T) {
	small := asPNG(t, halves(10, 10))
	for name, file := range map[string][]byte{
		"empty": {}, "text": []byte("<html>"), "cut png": small[:len(small)/2], "cut exif": withOrientation(asJPEG(t, halves(9, 9)), binary.BigEndian, 6)[:30],
		"bomb": bomb(small, 30_000, 30_000), "wide bomb": bomb(small, 1<<30, 1), "svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`),
	} {
		if p, err := blob.Thumbnail(context.Background(), bytes.NewReader(file)); !errors.Is(err, blob.ErrNoPicture) || p.Content != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, _ := blob.Thumbnail(context.Background(), bytes.NewReader(bomb(small, 30_000, 20_000))); p.Width != 30_000 || p.Height != 20_000 {
		t.Errorf("the size is known all the same: %dx%d", p.Width, p.Height)
	}
	allocated := testing.Benchmark(func(b *testing.B) {
		for range b.N {
			_, _ = blob.Thumbnail(context.Background(), bytes.NewReader(bomb(small, 30_000, 30_000)))
		}
	}).AllocedBytesPerOp()
	if allocated > 1<<20 {
		t.Errorf("refusing a bomb takes %d bytes", allocated)
	}
}

// TestProgressive holds that a progressive JPEG, whose decoding takes five times the memory, is bounded sooner: by the
// values that it keeps, which are fewer where colours are coarse.
func TestProgressive(t *testing.T) {
	file, err := os.ReadFile("testdata/progressive.jpg") // 2304 by 2304, a value of each colour for four of light
	if err != nil {
		t.Fatal(err)
	}
	if p, err := blob.Thumbnail(context.Background(), bytes.NewReader(file)); err != nil || p.Width != 2304 || p.ContentType != "image/jpeg" {
		t.Errorf("%dx%d: %v", p.Width, p.Height, err)
	}
	// The head says otherwise: as fine colours, or a size of 9.4 million pixels.
	at := bytes.Index(file, []byte{0xFF, 0xC2}) + 4
	fine, large := bytes.Clone(file), bytes.Clone(file)
	fine[at+7] = 0x11
	binary.BigEndian.PutUint16(large[at+1:], 4080)
	for name, file := range map[string][]byte{"fine colours": fine, "large": large} {
		allocated := testing.Benchmark(func(b *testing.B) {
			for range b.N {
				if _, err := blob.Thumbnail(context.Background(), bytes.NewReader(file)); !errors.Is(err, blob.ErrNoPicture) {
					b.Errorf("%s: %v", name, err)
				}
			}
		}).AllocedBytesPerOp()
		if allocated > 1<<20 {
			t.Errorf("%s: refusing it takes %d bytes", name, allocated)
		}
	}
}

// moving makes a WebP file that moves of one that does not: its picture is the first, at x and y of a canvas.
func moving(still []byte, canvas, at image.Point) []byte {
	size := 64
	three := func(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16)} }
	chunk := func(name string, parts ...[]byte) []byte {
		content := bytes.Join(parts, nil)
		return append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(content))), content...)
	}
	picture := still[12+8+10:] // after the head and VP8X
	frame := chunk("ANMF", three(at.X/2), three(at.Y/2), three(size-1), three(size-1), three(100), []byte{0}, picture)
	second := chunk("ANMF", three(0), three(0), three(0), three(0), three(100), []byte{0}, []byte("VP8L none"), []byte{0})
	body := bytes.Join([][]byte{
		[]byte("WEBP"), chunk("VP8X", []byte{0x12, 0, 0, 0}, three(canvas.X-1), three(canvas.Y-1)), chunk("ICCP", []byte{1, 2, 3, 0}), chunk("ANIM", make([]byte, 6)), frame, second,
	}, nil)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// TestMovingSticker holds that the first picture of a moving WebP file is shown, in its place.
func TestMovingSticker(t *testing.T) {
	still, err := os.ReadFile("testdata/sticker.webp")
	if err != nil {
		t.Fatal(err)
	}
	thumb := func(file []byte) (image.Image, blob.Picture, error) {
		p, err := blob.Thumbnail(context.Background(), bytes.NewReader(file))
		if err != nil {
			return nil, p, err
		}
		m, err := png.Decode(bytes.NewReader(p.Content))
		return m, p, err
	}
	near := func(a, b color.Color) bool { // it is put into its place with other roundings
		r, g, bl, al := a.RGBA()
		r2, g2, bl2, al2 := b.RGBA()
		for _, d := range []int{int(r) - int(r2), int(g) - int(g2), int(bl) - int(bl2), int(al) - int(al2)} {
			if max(d, -d) > 0x400 {
				return false
			}
		}
		return true
	}
	want, _, err := thumb(still)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []image.Point{{}, {X: 20, Y: 36}} {
		canvas := image.Pt(64, 64).Add(at).Add(at)
		m, p, err := thumb(moving(still, canvas, at))
		if err != nil || p.Width != canvas.X || p.Height != canvas.Y {
			t.Errorf("at %v: %dx%d, %v", at, p.Width, p.Height, err)
			continue
		}
		for y := range 64 {
			for x := range 64 {
				if !near(m.At(at.X+x, at.Y+y), want.At(x, y)) {
					t.Fatalf("at %v: the pixel %d, %d is another", at, x, y)
				}
			}
		}
		if _, _, _, alpha := m.At(0, 0).RGBA(); at.X > 0 && alpha != 0 {
			t.Errorf("at %v: there is something beside it", at)
		}
	}
	whole := moving(still, image.Pt(64, 64), image.Point{})
	for name, file := range map[string][]byte{
		"beside its canvas": moving(still, image.Pt(64, 64), image.Pt(2, 0)), "cut": whole[:200], "a large canvas": moving(still, image.Pt(3000, 3000), image.Point{}),
	} {
		if _, _, err := thumb(file); !errors.Is(err, blob.ErrNoPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThumbnailGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 20 { // the choice between two that are ready is by chance
		if _, err := blob.Thumbnail(ctx, bytes.NewReader(nil)); errors.Is(err, context.Canceled) {
			return
		}
	}
	t.Error("a picture is made for nobody")
}

func TestSniff(t *testing.T) {
	sticker, _ := os.ReadFile("testdata/sticker.webp")
	for want, head := range map[string][]byte{
		"image/jpeg": asJPEG(t, halves(2, 2)), "image/png": asPNG(t, halves(2, 2)), "image/webp": sticker,
		"application/pdf": []byte("%PDF-1.7\n"), "text/html": []byte("<!DOCTYPE html><html><script>alert(1)</script>"),
		"image/svg+xml": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), "audio/ogg": []byte("OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01\x13OpusHead\x01\x01\x38\x01"),
		"audio/amr": []byte("#!AMR\n\x3c"), "text/vcard": []byte("BEGIN:VCARD\nVERSION:3.0\n"), "video/mp4": []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"),
		"video/3gpp": []byte("\x00\x00\x00\x18ftyp3gp4\x00\x00\x00\x003gp4isom"), "audio/mpeg": append([]byte("\xFF\xFB\x90\x64"), make([]byte, 2000)...), "text/plain": []byte("hei"),
	} {
		if got := blob.Sniff(head); got != want {
			t.Errorf("%s was taken for %s", want, got)
		}
	}
}

// FuzzThumbnail shows that no file brings the process down.
func FuzzThumbnail(f *testing.F) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, halves(9, 9), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(withOrientation(b.Bytes(), binary.LittleEndian, 6))
	if still, err := os.ReadFile("testdata/sticker.webp"); err == nil {
		f.Add(moving(still, image.Pt(80, 80), image.Pt(8, 8)))
	}
	f.Fuzz(func(_ *testing.T, file []byte) {
		_, _ = blob.Thumbnail(context.Background(), bytes.NewReader(file))
		_ = blob.Sniff(file)
	})
}
