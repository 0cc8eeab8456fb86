package check

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func found(check string, v models.Verdict, fact string) models.Finding {
	return models.Finding{Part: check, Check: check, Group: models.CheckOfAccount, Account: "Kundeservice", Verdict: v, Fact: models.Say(fact)}
}

// The summary says which checks are to be mended and which one first; the report says the same with numbers shortened.
func TestSummary(t *testing.T) {
	token := found("token", models.VerdictFailed, "check.token.rejected")
	sender := found("sender", models.VerdictFailed, "check.sender.none")
	sender.Number = "+4721000040"
	disk := found("disk", models.VerdictWarning, "check.token.ok")
	disk.Account = ""
	zone := found("zone", models.VerdictOK, "check.token.ok")
	running := found("clock", models.VerdictRunning, "check.token.ok")
	elsewhere := token
	elsewhere.Account = "Salg"
	var many []models.Finding
	for i := range 7 {
		f := sender
		f.Number = fmt.Sprint("+472100004", i)
		many = append(many, f)
	}
	for name, tt := range map[string]struct {
		found    []models.Finding
		en, nb   string
		reported string // in the report, where it is not en
	}{
		"nothing wrong": {[]models.Finding{zone}, "Everything that was checked works.", "Alt som ble testet, virker.", ""},
		"one error":     {[]models.Finding{zone, token}, "1 error|What fails: Account SID and auth token. Do what stands there, then run the check again.", "1 feil|Dette feiler: Konto-SID og godkjenningstoken. Gjør det som står der, og kjør testen på nytt.", ""},
		"one warning":   {[]models.Finding{disk}, "1 warning|What to look at: Disk for files. Do what stands there, then run the check again.", "1 advarsel|Se på: Disk for filer. Gjør det som står der, og kjør testen på nytt.", ""},
		"errors come first": {[]models.Finding{disk, sender}, "1 error and 1 warning|What fails: WhatsApp number +47 21 00 00 40. What to look at: Disk for files. Begin with “WhatsApp number +47 21 00 00 40”, then run the check again.",
			"1 feil og 1 advarsel|Dette feiler: WhatsApp-nummer +47 21 00 00 40. Se på: Disk for filer. Begynn med «WhatsApp-nummer +47 21 00 00 40», og kjør testen på nytt.",
			"1 error and 1 warning|What fails: WhatsApp number +47…40. What to look at: Disk for files. Begin with “WhatsApp number +47…40”, then run the check again."},
		"several accounts": {[]models.Finding{token, elsewhere}, "2 errors|What fails: Account SID and auth token (Kundeservice), Account SID and auth token (Salg). Begin with “Account SID and auth token (Kundeservice)”, then run the check again.", "2 feil|Dette feiler: Konto-SID og godkjenningstoken (Kundeservice), Konto-SID og godkjenningstoken (Salg). Begynn med «Konto-SID og godkjenningstoken (Kundeservice)», og kjør testen på nytt.", ""},
		"many": {many, "7 errors|What fails: WhatsApp number +47 21 00 00 40, WhatsApp number +47 21 00 00 41, WhatsApp number +47 21 00 00 42, WhatsApp number +47 21 00 00 43, 3 more. Begin with “WhatsApp number +47 21 00 00 40”, then run the check again.", "7 feil|Dette feiler: WhatsApp-nummer +47 21 00 00 40, WhatsApp-nummer +47 21 00 00 41, WhatsApp-nummer +47 21 00 00 42, WhatsApp-nummer +47 21 00 00 43, 3 til. Begynn med «WhatsApp-nummer +47 21 00 00 40», og kjør testen på nytt.",
			"7 errors|What fails: WhatsApp number +47…40, WhatsApp number +47…41, WhatsApp number +47…42, WhatsApp number +47…43, 3 more. Begin with “WhatsApp number +47…40”, then run the check again."},
		"under way": {[]models.Finding{token, running}, "The check is running. 1 part is left.", "Testen kjører. 1 punkt gjenstår.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := Page{Found: tt.found, Now: noon}
			viewtest.Each(t, Show(p), func(t *testing.T, lang i18n.Lang, page string) {
				want := map[i18n.Lang]string{i18n.EN: tt.en, i18n.NB: tt.nb}[lang]
				if got := paragraphs(page, `class="ban `); got != want {
					t.Errorf("%s\nwant %s", got, want)
				}
			})
			if tt.reported == "" {
				tt.reported = tt.en
			}
			if said := p.Report(viewtest.Context(i18n.EN)); !strings.Contains(said, "\n"+strings.ReplaceAll(tt.reported, "|", "\n")+"\n\n") {
				t.Errorf("reported:\n%s", said)
			}
		})
	}
}

// paragraphs gives the texts of the first banner of the summary, joined by |.
func paragraphs(page, from string) string {
	_, page, _ = strings.Cut(page, `id="`+summaryID+`"`)
	_, page, _ = strings.Cut(page, from)
	page, _, _ = strings.Cut(page, "</div></div>")
	var said []string
	for _, p := range strings.Split(page, "<p>")[1:] {
		text, _, _ := strings.Cut(p, "</p>")
		said = append(said, text)
	}
	return strings.Join(said, "|")
}

// The report can be copied from the page's head, once there is one.
func TestCopyStandsInTheHead(t *testing.T) {
	whole := Page{Found: []models.Finding{found("zone", models.VerdictOK, "check.token.ok")}, Now: noon}
	running := Page{Found: []models.Finding{found("zone", models.VerdictRunning, "")}, Now: noon}
	const button = `data-copy="report"`
	for _, tt := range []struct {
		p    Page
		want bool
	}{{whole, true}, {running, false}} {
		page := viewtest.Render(t, i18n.EN, Show(tt.p))
		head, rest, _ := strings.Cut(page, `id="`+summaryID+`"`)
		if strings.Contains(head, button) != tt.want || strings.Contains(rest, button) || !strings.Contains(head, `id="`+copyID+`"`) {
			t.Errorf("%v: %s", tt.want, head)
		}
	}
	if change := whole.Change("zone", whole.Found); change[copyID] == nil {
		t.Error("the last part does not bring the button")
	}
}
