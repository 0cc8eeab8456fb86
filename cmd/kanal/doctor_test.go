package main

import (
	"strings"
	"testing"
)

func TestDoctor(t *testing.T) {
	clean(t)
	if code, _, said := once("", "doctor"); code != exitFailure || !strings.Contains(said, "kanal migrate") {
		t.Errorf("before the first start: %d, %s", code, said)
	}
	if code, _, said := once("", "migrate"); code != exitOK {
		t.Fatal(said)
	}
	code, out, said := once("", "doctor", "--language", "nb")
	if code != exitOK {
		t.Errorf("%d, %s", code, said)
	}
	for _, line := range []string{"Tilkoblingstest, Kanal", "Innkommende meldinger\n[Advarsel] Offentlig HTTPS-adresse: ", "[OK] Database: Tilkoblet.", "[Ikke kjørt] Mellomlager: Bare serverprosessen", "\n1 advarsel\nSe på: Offentlig HTTPS-adresse. Gjør det som står der, og kjør testen på nytt.\n"} {
		if !strings.Contains(out, line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
	t.Setenv("KANAL_PUBLIC_URL", "https://nowhere.invalid")
	t.Setenv("LANG", "en_GB.UTF-8")
	code, out, said = once("", "doctor")
	if code != exitFailure || !strings.Contains(out, "[Error] Public HTTPS address: nowhere.invalid does not answer over HTTPS.\n    Check name") || !strings.Contains(said, "found an error") {
		t.Errorf("%d, %s\n%s", code, said, out)
	}
}
