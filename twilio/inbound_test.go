package twilio

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// change gives an example with some fields set anew; "" takes a field out.
func change(t testing.TB, name string, more map[string]string) url.Values {
	t.Helper()
	form := examples(t, name)[name]
	if form == nil {
		t.Fatal("no example", name)
	}
	for k, v := range more {
		form.Set(k, v)
		if v == "" {
			form.Del(k)
		}
	}
	return form
}

// What a message is beside its text, for every shape that has more.
func TestParseInboundDetails(t *testing.T) {
	const sandbox = Address("whatsapp:+14155238886")
	for _, tt := range []struct {
		name string
		more map[string]string
		kind Kind
		want Inbound // the details only
	}{
		{name: "inbound_text", kind: Text},
		{name: "inbound_location_pin", kind: Location, want: Inbound{Place: &Place{Latitude: 25.018766403198, Longitude: -77.395950317383}}},
		{name: "inbound_location_place", kind: Location, want: Inbound{Place: &Place{
			Latitude: 37.7879277, Longitude: -122.3937508, Label: "Twilio Inc", Address: "375 Beale St, San Francisco, CA 94105",
		}}},
		{name: "inbound_location_pin", more: map[string]string{"Latitude": "NaN"}, kind: Location},
		{name: "inbound_location_pin", more: map[string]string{"Latitude": "91"}, kind: Location},
		{name: "inbound_location_pin", more: map[string]string{"Longitude": "-Inf"}, kind: Location},
		{name: "inbound_location_pin", more: map[string]string{"Longitude": "x"}, kind: Location},
		{name: "inbound_reply_quote", kind: Text, want: Inbound{RepliedSID: "MM000000000000000000000000000001f4", RepliedSender: sandbox}},
		{name: "inbound_reply_quote", more: map[string]string{"OriginalRepliedMessageSid": "x' OR 1"}, kind: Text, want: Inbound{RepliedSender: sandbox}},
		{name: "inbound_forwarded", kind: Text, want: Inbound{Forwarded: ForwardedOnce}},
		{name: "inbound_frequently_forwarded", kind: Text, want: Inbound{Forwarded: ForwardedOften}},
		{name: "inbound_template_button", kind: Button, want: Inbound{
			Choice: &Choice{ID: "confirm_42", Title: "Confirm"}, RepliedSID: "MM000000000000000000000000000001f5", RepliedSender: sandbox,
		}},
		{name: "inbound_session_button", kind: Button, want: Inbound{
			Choice: &Choice{ID: "{verifyEmail:a@b.co}", Title: "Konfirmasi"}, RepliedSID: "MM000000000000000000000000000001f6", RepliedSender: sandbox,
		}},
		{name: "inbound_session_button", more: map[string]string{"ButtonText": "", "ButtonPayload": ""}, kind: Button, want: Inbound{
			Choice: &Choice{Title: "Konfirmasi"}, RepliedSID: "MM000000000000000000000000000001f6", RepliedSender: sandbox,
		}},
		{name: "inbound_list_pick", more: map[string]string{"ListDescription": "Direct"}, kind: ListReply, want: Inbound{
			Choice: &Choice{ID: "SFO1337", Title: "SFO to NYC for $299", Description: "Direct"}, RepliedSID: "SM000000000000000000000000000001f7", RepliedSender: sandbox,
		}},
		{name: "inbound_list_pick", more: map[string]string{"ListId": ""}, kind: ListReply, want: Inbound{
			Choice: &Choice{Title: "SFO to NYC for $299"}, RepliedSID: "SM000000000000000000000000000001f7", RepliedSender: sandbox,
		}},
		{name: "inbound_flow_completed", kind: FlowReply, want: Inbound{Flow: []Answer{{"screen_1_Choose_one_0", "1_Wear_the_same_as_usual"}}}},
		{name: "inbound_flow_completed", more: map[string]string{"FlowData": ""}, kind: FlowReply, want: Inbound{Flow: []Answer{{"screen_1_Choose_one_0", "1_Wear_the_same_as_usual"}}}},
		{
			name: "inbound_flow_completed", kind: FlowReply,
			more: map[string]string{"FlowData": `{"z":"last","a":["x","y"],"n":2,"yes":true,"none":null,"at":{"day":"1","flow_token":"2"},"l":[1,{"k":2}]}`},
			want: Inbound{Flow: []Answer{{"z", "last"}, {"a", "x, y"}, {"n", "2"}, {"yes", "true"}, {"at.day", "1"}, {"at.flow_token", "2"}, {"l", `1, {"k":2}`}}},
		},
		{name: "inbound_flow_completed", more: map[string]string{"FlowData": `{"a":"1","b":`}, kind: FlowReply, want: Inbound{Flow: []Answer{{"a", "1"}}}},
		{name: "inbound_flow_completed", more: map[string]string{"FlowData": "[]"}, kind: FlowReply},
		{name: "inbound_flow_completed", more: map[string]string{"FlowData": "", "InteractiveData": `{"other":1}`}, kind: Unsupported},
		{name: "inbound_ctwa_ad", kind: Text, want: Inbound{Referral: &Referral{
			Headline: "Send us a message", Body: "Learn more about our company by sending us a message on WhatsApp", URL: "https://fb.me/xyz123", Kind: "post", ID: "118588094077142",
		}}},
		{name: "inbound_call_permission", kind: Button, want: Inbound{Choice: &Choice{ID: "REJECTED", Title: CallPermission}}},
		{name: "inbound_stop_advanced_optout", kind: Text, want: Inbound{OptOut: "STOP"}},
	} {
		in, err := ParseInbound(change(t, tt.name, tt.more))
		got := Inbound{
			RepliedSID: in.RepliedSID, RepliedSender: in.RepliedSender, Forwarded: in.Forwarded, Place: in.Place, Choice: in.Choice,
			Flow: in.Flow, Referral: in.Referral, OptOut: in.OptOut,
		}
		if err != nil || in.Kind != tt.kind || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s %v: %s %+v, want %s %+v; %v", tt.name, tt.more, in.Kind, got, tt.kind, tt.want, err)
		}
	}
}

// No form makes a message larger than what is shown of it.
func TestParseInboundIsBounded(t *testing.T) {
	long := strings.Repeat("å", 3000)
	in, err := ParseInbound(change(t, "inbound_list_pick", map[string]string{"ListTitle": long, "ReferralHeadline": long, "ReferralSourceUrl": long}))
	if err != nil || utf8.RuneCountInString(in.Choice.Title) != maxText || utf8.RuneCountInString(in.Referral.Headline) != maxText || in.Referral.URL != "" {
		t.Errorf("%+v %v", in, err)
	}
	deep := strings.Repeat(`{"a":`, 2000) + "1" + strings.Repeat("}", 2000)
	wide := `{"x":1` + strings.Repeat(`,"x":1`, 500) + "}"
	for flow, want := range map[string]int{deep: 1, wide: maxAnswers} {
		in, err = ParseInbound(change(t, "inbound_flow_completed", map[string]string{"FlowData": flow}))
		if err != nil || len(in.Flow) != want || len(in.Flow[0].Value) > maxText {
			t.Errorf("%d answers, want %d; %v", len(in.Flow), want, err)
		}
	}
}
