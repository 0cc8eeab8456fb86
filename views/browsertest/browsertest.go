// Package browsertest opens pages in a real browser, for tests: one Chromium for a whole test binary, a profile of its
// own for each tab. A tab fails its test for everything that the page complains about: exceptions, errors on the
// console, requests that failed and reports of the content security policy.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// programs are the names under which systems have the browser.
var programs = []string{"chromium", "chromium-browser", "google-chrome"}

// chromium is the browser of this test binary, from the first tab to the end of Main.
var chromium struct {
	mu   sync.Mutex
	main bool
	ctx  context.Context //nolint:containedctx // the handle of the browser is a context
	stop context.CancelFunc
}

// Main runs a package's tests and ends the browser after them; then it does what else is to be done. TestMain of every
// package that opens tabs calls it.
func Main(m *testing.M, after ...func()) {
	chromium.main = true
	code := m.Run()
	for _, f := range after {
		f()
	}
	if chromium.stop != nil {
		chromium.stop()
	}
	os.Exit(code)
}

// Require finds the browser. Without one the test is skipped, or fails where KANAL_TEST_REQUIRE names it; -short skips
// it, too.
func Require(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if slices.Contains(strings.Split(os.Getenv("KANAL_TEST_REQUIRE"), ","), "chromium") {
		t.Fatal("chromium is required and not there")
	}
	t.Skip("no chromium on this machine")
	return ""
}

// Browser gives the browser of this test binary and starts it when it does not run yet. Tabs in it are opened in profiles of
// their own.
func Browser(t testing.TB) context.Context {
	t.Helper()
	path := Require(t)
	chromium.mu.Lock()
	defer chromium.mu.Unlock()
	if chromium.ctx != nil {
		return chromium.ctx
	}
	if !chromium.main {
		t.Fatal("TestMain of this package must call browsertest.Main")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en"))
	ctx, stopAllocator := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, stopBrowser := chromedp.NewContext(ctx)
	stop := func() { stopBrowser(); stopAllocator() }
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		stop()
		t.Fatal(err)
	}
	chromium.ctx, chromium.stop = ctx, stop
	return ctx
}
