package simulator

import "time"

// quick is a row of quick replies as Twilio writes them.
func quick(titles ...string) []map[string]string {
	var out []map[string]string
	for _, t := range titles {
		out = append(out, map[string]string{"type": "QUICK_REPLY", "title": t, "id": t})
	}
	return out
}

// sampleContents are the templates that a new account has, so that a customer can be answered when the window is closed.
func sampleContents() []Content {
	approved := func(name, category string) Approval {
		return Approval{Name: name, Category: category, Status: "approved", Quality: "green"}
	}
	track := func(body, title string) map[string]any {
		return map[string]any{"body": body, "actions": []map[string]string{{"type": "URL", "title": title, "url": "https://www.example.com/sporing/{{3}}"}}}
	}
	return []Content{
		{
			Name: "valg_av_tid", Language: "nb", Approval: Approval{Status: "unsubmitted"},
			Types: one("twilio/list-picker", map[string]any{"body": "Når passer det å bli ringt opp?", "button": "Velg tid", "items": []map[string]string{
				{"item": "Formiddag", "id": "am", "description": "Mellom 8 og 12"}, {"item": "Ettermiddag", "id": "pm", "description": "Mellom 12 og 16"},
			}}),
		},
		{
			Name: "spring_offer", Language: "en", Approval: approved("spring_offer", "MARKETING"), Variables: map[string]string{"1": "20 %", "2": "31 May"},
			Types: one("whatsapp/card", map[string]any{
				"header_text": "Spring offer", "body": "Get {{1}} off everything in the shop. The offer ends on {{2}}, while stocks last.", "footer": "Reply STOP to opt out",
				"actions": quick("Show me", "Not now"),
			}),
		},
		{
			Name: "varens_tilbud", Language: "nb", Approval: approved("varens_tilbud", "MARKETING"), Variables: map[string]string{"1": "20 %", "2": "31. mai"},
			Types: one("whatsapp/card", map[string]any{
				"header_text": "Vårens tilbud", "body": "Få {{1}} på alt i butikken. Tilbudet varer til {{2}}, så lenge lageret rekker.", "footer": "Svar STOPP for å slippe tilbud",
				"actions": quick("Vis meg", "Ikke nå"),
			}),
		},
		{
			Name: "parcel_on_its_way", Language: "en", Approval: approved("parcel_on_its_way", "UTILITY"), Variables: map[string]string{"1": "Ana", "2": "4711", "3": "4711"},
			Types: one("twilio/call-to-action", track("Hello {{1}}, your parcel with order {{2}} is on its way and will be with you within two days.", "Track the parcel")),
		},
		{
			Name: "pakke_pa_vei", Language: "nb", Approval: approved("pakke_pa_vei", "UTILITY"), Variables: map[string]string{"1": "Ana", "2": "4711", "3": "4711"},
			Types: one("twilio/call-to-action", track("Hei {{1}}, pakken med ordre {{2}} er på vei og kommer i løpet av to dager.", "Følg pakken")),
		},
		{
			Name: "appointment_reminder", Language: "en", Approval: approved("appointment_reminder", "UTILITY"), Variables: map[string]string{"1": "Ana", "2": "Tuesday", "3": "10:30"},
			Types: one("twilio/quick-reply", map[string]any{"body": "Hello {{1}}, this is a reminder of your appointment on {{2}} at {{3}}. Does it still suit you?", "actions": quick("Yes, I will come", "I need another time")}),
		},
		{
			Name: "timepaminnelse", Language: "nb", Approval: approved("timepaminnelse", "UTILITY"), Variables: map[string]string{"1": "Ana", "2": "tirsdag", "3": "10.30"},
			Types: one("twilio/quick-reply", map[string]any{"body": "Hei {{1}}, vi minner om timen din {{2}} kl. {{3}}. Passer det fortsatt?", "actions": quick("Ja, jeg kommer", "Jeg trenger ny tid")}),
		},
		{
			Name: "follow_up", Language: "en", Approval: approved("follow_up", "UTILITY"), Variables: map[string]string{"1": "Ana"},
			Types: Text("Hello {{1}}, we have an answer to your question. Reply to this message and we will carry on from here."),
		},
		{
			Name: "oppfolging", Language: "nb", Approval: approved("oppfolging", "UTILITY"), Variables: map[string]string{"1": "Ana"},
			Types: Text("Hei {{1}}, vi har svar på det du spurte om. Svar på denne meldingen, så fortsetter vi her."),
		},
	}
}

// addSamples gives an account its first templates, once.
func (a *account) addSamples(now time.Time) {
	if a.Sampled {
		return
	}
	a.Sampled = true
	for _, c := range sampleContents() {
		a.addContent(c, now)
	}
}
