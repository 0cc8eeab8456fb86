package inbox

import (
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

func TestViewersKeepTheRules(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	looks := func(name string) models.Viewing {
		return models.Viewing{UserName: name, SeenAt: now.Add(-5 * time.Second)}
	}
	types := func(name string) models.Viewing {
		v := looks(name)
		v.TypedAt = &now
		return v
	}
	for _, tt := range []struct {
		others []models.Viewing
		nb, en string
	}{
		{nil, "", ""},
		{[]models.Viewing{looks("<Mads> Berg")}, "&lt;Mads&gt; ser på", "&lt;Mads&gt; is viewing"},
		{[]models.Viewing{looks("A"), looks("B"), looks("C"), looks("D")}, "4 ser på", "4 are viewing"},
		{[]models.Viewing{types("Mads Berg"), looks("B")}, "Mads skriver …", "Mads is typing …"},
		{[]models.Viewing{types("A"), types("B"), looks("C")}, "2 skriver …", "2 are typing …"},
	} {
		viewtest.Each(t, Viewers(Watchers{Others: tt.others, Now: now}), func(t *testing.T, lang i18n.Lang, page string) {
			want := map[i18n.Lang]string{i18n.NB: tt.nb, i18n.EN: tt.en}[lang]
			if !strings.Contains(page, want) || strings.Contains(page, `data-gone="40000"`) != (len(tt.others) > 0) {
				t.Errorf("%q: %s", want, page)
			}
		})
	}
}
