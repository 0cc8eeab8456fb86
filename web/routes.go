package web

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"
)

// need says who may use a route.
type need int

// Who may use a route.
const (
	nobody         need = iota // without signing in, also before the first start: it reads no login session
	beforeSetup                // only until the first administrator exists; then it is not found
	anyone                     // without signing in, after the first start
	agents                     // everybody who is signed in
	supervisors                // supervisors and administrators
	administrators             // administrators
)

// Limits of what is sent to us, in bytes.
const formLimit = 64 << 10

// route is one line of the list. limit bounds the body in bytes; 0 is formLimit.
type route struct {
	method  string
	path    string
	need    need
	handler echo.HandlerFunc
	limit   int64
}

// Methods, short, so that a route stays on one line.
const (
	get  = http.MethodGet
	post = http.MethodPost
)

// routes is every route there is.
func (s *Server) routes() []route {
	return slices.Concat(s.commonRoutes(), s.adminRoutes(), s.troubleRoutes())
}

// commonRoutes are those of machines, of people before they sign in, and of the daily work.
func (s *Server) commonRoutes() []route {
	return []route{
		// For machines.
		{get, "/healthz", nobody, s.healthz, 0},
		{get, "/readyz", nobody, s.readyz, 0},
		{get, "/static/*", nobody, s.static, 0},
		{get, "/favicon.ico", nobody, s.favicon, 0},

		// Twilio's calls.
		{post, "/hooks/twilio/:key/inbound", nobody, s.twilioInbound, 2 * maxWebhook},
		{get, "/hooks/twilio/:key/inbound", nobody, s.twilioInbound, 0},
		{post, "/hooks/twilio/:key/status", nobody, s.twilioStatus, 2 * maxWebhook},
		{get, "/hooks/twilio/:key/status", nobody, s.twilioStatus, 0},
		{post, "/hooks/twilio/:key/fallback", nobody, s.twilioFallback, 2 * maxWebhook},
		{get, "/hooks/twilio/:key/fallback", nobody, s.twilioFallback, 0},
		{post, "/hooks/twilio/:key/debug", nobody, s.twilioDebug, 2 * maxWebhook},
		{get, "/hooks/twilio/:key/debug", nobody, s.twilioDebug, 0},

		// Twilio fetches a file that is on its way to a customer.
		{get, "/media/:token", nobody, s.media, 0},

		// Without signing in.
		{get, "/setup", beforeSetup, s.setupPage, 0},
		{post, "/setup", beforeSetup, s.setup, 0},
		{get, "/login", anyone, s.loginPage, 0},
		{post, "/login", anyone, s.login, 0},
		{get, "/link/:token", anyone, s.linkPage, 0},
		{post, "/link/:token", anyone, s.link, 0},
		{post, "/preferences", anyone, s.preferences, 0},

		// Everybody.
		{get, "/", agents, s.home, 0},
		{post, "/logout", agents, s.logout, 0},
		{get, "/events", agents, s.events, 0},
		{get, "/me", agents, s.mePage, 0},
		{post, "/me", agents, s.me, 0},
		{post, "/me/password", agents, s.mePassword, 0},
		{post, "/me/sessions/end", agents, s.meEndSession, 0},

		// The inbox.
		{get, "/inbox", agents, s.inboxPage, 0},
		{get, "/inbox/list", agents, s.inboxListPart, 0},
		{post, "/inbox/next", agents, s.takeNext, 0},
		{get, "/inbox/new", agents, s.outreachPage, 0},
		{post, "/inbox/new", agents, s.startConversation, 0},
		{get, "/inbox/:conversation", agents, s.conversationPage, 0},
		{get, "/inbox/:conversation/messages", agents, s.conversationMessages, 0},
		{get, "/inbox/:conversation/composer", agents, s.conversationComposer, 0},
		{get, "/inbox/:conversation/details", agents, s.conversationDetails, 0},
		{post, "/inbox/:conversation/messages", agents, s.reply, replyLimit},
		{post, "/inbox/:conversation/files", agents, s.upload, uploadLimit},
		{post, "/inbox/:conversation/files/:file/remove", agents, s.removeUpload, 0},
		{get, "/inbox/:conversation/transcript", agents, s.transcriptPage, 0},
		{post, "/inbox/:conversation/transcript.txt", agents, s.transcriptFile, 0},
		{get, "/inbox/:conversation/later", agents, s.laterList, 0},
		{post, "/inbox/:conversation/later", agents, s.schedule, 0},
		{get, "/inbox/:conversation/later/new", agents, s.newLaterPage, 0},
		{post, "/inbox/:conversation/later/new", agents, s.composedLater, replyLimit},
		{get, "/later/:scheduled", agents, s.laterPage, 0},
		{post, "/later/:scheduled", agents, s.reschedule, 0},
		{post, "/later/:scheduled/send", agents, s.scheduledAct(s.service.SendScheduledNow, "done.scheduled_sent"), 0},
		{post, "/later/:scheduled/cancel", agents, s.scheduledAct(s.service.CancelScheduled, "done.scheduled_canceled"), 0},
		{get, "/inbox/:conversation/templates", agents, s.pickTemplatePage, 0},
		{post, "/inbox/:conversation/templates", agents, s.sendTemplate, 0},
		{get, "/inbox/:conversation/emoji", agents, s.emojiPage, 0},
		{post, "/inbox/:conversation/emoji", agents, s.addEmoji, 0},
		{post, "/inbox/:conversation/draft", agents, s.saveDraft, 0},
		{post, "/inbox/:conversation/seen", agents, s.seen, 0},
		{post, "/inbox/:conversation/viewing", agents, s.viewing, 0},
		{post, "/inbox/:conversation/assign", agents, s.assign, 0},
		{post, "/inbox/:conversation/resolve", agents, s.conversationAct(s.service.Resolve, "done.resolved"), 0},
		{post, "/inbox/:conversation/reopen", agents, s.conversationAct(s.service.Reopen, "done.reopened"), 0},
		{post, "/inbox/:conversation/close", agents, s.conversationAct(s.service.CloseNow, "done.closed"), 0},
		{get, "/messages/:message/details", agents, s.messageDetails, 0},
		{post, "/messages/:message/retry", agents, s.retryMessage, 0},

		// Customers.
		{get, "/customers/:customer", agents, s.customerPage, 0},
		{get, "/customers/:customer/edit", agents, s.editCustomerPage, 0},
		{post, "/customers/:customer/edit", agents, s.changeCustomer, 0},
		{get, "/customers/:customer/consent", agents, s.consentPage, 0},
		{post, "/customers/:customer/consent", agents, s.recordConsent, 0},
		{get, "/customers/:customer/block", agents, s.blockCustomerPage, 0},
		{post, "/customers/:customer/block", agents, s.blockCustomer, 0},
		{post, "/customers/:customer/unblock", agents, s.unblockCustomer, 0},

		// Files.
		{get, "/files/:file", agents, s.downloadFile, 0},
		{get, "/files/:file/view", agents, s.viewFile, 0},
		{get, "/files/:file/thumb", agents, s.viewThumb, 0},
		{get, "/files/:file/show", agents, s.showFile, 0},
		{get, "/files/:file/description", agents, s.fileDescriptionPage, 0},
		{post, "/files/:file/description", agents, s.describeFile, 0},
		{post, "/files/:file/fetch", agents, s.fetchFile, 0},
	}
}

// adminRoutes are those of the admin center.
func (s *Server) adminRoutes() []route {
	return []route{
		// Get started, and the gallery of components.
		{get, "/admin", administrators, s.startPage, 0},
		{get, "/admin/components", administrators, s.forDevelopers(s.gallery), 0},
		{get, "/admin/components/dialog", administrators, s.forDevelopers(s.galleryDialog), 0},
		{post, "/admin/components/dialog", administrators, s.forDevelopers(s.closeGalleryDialog), 0},

		// Messaging accounts.
		{get, "/admin/channels", administrators, s.channelsPage, 0},
		{get, "/admin/accounts", administrators, s.accountsPage, 0},
		{get, "/admin/accounts/new/setup/channel-details", administrators, s.newAccountPage, 0},
		{post, "/admin/accounts/new/setup/channel-details", administrators, s.newAccount, 0},
		{get, "/admin/accounts/:account", administrators, s.openAccount, 0},
		{get, "/admin/accounts/:account/setup/:step", administrators, s.accountStepPage, 0},
		{post, "/admin/accounts/:account/setup/:step", administrators, s.accountStep, 0},
		{get, "/admin/accounts/:account/added", administrators, s.accountAdded, 0},
		{post, "/admin/accounts/:account/check", administrators, s.checkAccount, 0},
		{get, "/admin/accounts/:account/token", administrators, s.tokenPage, 0},
		{post, "/admin/accounts/:account/token", administrators, s.rotateToken, 0},
		{get, "/admin/accounts/:account/webhooks", administrators, s.webhooksPage, 0},
		{post, "/admin/accounts/:account/webhooks", administrators, s.setWebhooks, 0},
		{get, "/admin/accounts/:account/delete", administrators, s.deleteAccountPage, 0},
		{post, "/admin/accounts/:account/delete", administrators, s.deleteAccount, 0},
		{get, "/admin/accounts/:account/senders", administrators, s.sendersPage, 0},
		{post, "/admin/accounts/:account/senders", administrators, s.addSenders, 0},
		{get, "/admin/accounts/:account/numbers/:number/remove", administrators, s.removeNumberPage, 0},
		{post, "/admin/accounts/:account/numbers/:number/remove", administrators, s.removeNumber, 0},
		// The customer's phone.
		{get, "/simulator", administrators, s.simulated(s.simulatorPage), 0},
		{get, "/simulator/phone", administrators, s.simulated(s.simulatorPhone), 0},
		{get, "/simulator/messages/:message/file", administrators, s.simulated(s.simulatorFile), 0},
		{get, "/simulator/window", administrators, s.simulated(s.simulatorWindow), 0},
		{get, "/simulator/events", administrators, s.simulated(s.simulatorEvents), 0},
		{get, "/simulator/events/:entry", administrators, s.simulated(s.simulatorEvent), 0},
		{post, "/simulator/try", administrators, s.simulated(s.trySimulator), 0},
		{post, "/simulator/accounts", administrators, s.simulated(s.newSimulated), 0},
		{post, "/simulator/senders", administrators, s.simulated(s.newSender), 0},
		{post, "/simulator/url", administrators, s.simulated(s.setAddresses), 0},
		{post, "/simulator/chaos", administrators, s.simulated(s.setChaos), 0},
		{post, "/simulator/customers", administrators, s.simulated(s.addCustomer), 0},
		{post, "/simulator/messages", administrators, s.simulated(s.simulateMessage), 0},
		{post, "/simulator/taps", administrators, s.simulated(s.simulateTap), 0},
		{post, "/simulator/templates", administrators, s.simulated(s.decideTemplate), 0},
		{post, "/simulator/refusal", administrators, s.simulated(s.setRefusal), 0},
		{post, "/simulator/outcome", administrators, s.simulated(s.setOutcome), 0},
		{post, "/simulator/skip", administrators, s.simulated(s.skipAhead), 0},
		{post, "/simulator/reset", administrators, s.simulated(s.resetSimulator), 0},

		// Workstreams, the wizard Set up WhatsApp, the settings of a number.
		{get, "/admin/workstreams", administrators, s.workstreamsPage, 0},
		{post, "/admin/workstreams", administrators, s.addWorkstream, 0},
		{get, "/admin/workstreams/new", administrators, s.newWorkstreamPage, 0},
		{get, "/admin/workstreams/:workstream", administrators, s.workstreamPage, 0},
		{post, "/admin/workstreams/:workstream", administrators, s.changeWorkstream, 0},
		{get, "/admin/workstreams/:workstream/edit", administrators, s.editWorkstreamPage, 0},
		{get, "/admin/workstreams/:workstream/whatsapp/discard", administrators, s.discardChannelPage, 0},
		{post, "/admin/workstreams/:workstream/whatsapp/discard", administrators, s.discardChannel, 0},
		{get, "/admin/workstreams/:workstream/whatsapp/:step", administrators, s.channelStepPage, 0},
		{post, "/admin/workstreams/:workstream/whatsapp/:step", administrators, s.saveChannelStep, 0},
		{post, "/admin/workstreams/:workstream/whatsapp/summary", administrators, s.finishChannel, 0},
		{get, "/admin/workstreams/:workstream/numbers/:number", administrators, s.numberPage, 0},
		{get, "/admin/workstreams/:workstream/numbers/:number/ready", administrators, s.channelReadyPage, 0},
		{get, "/admin/workstreams/:workstream/numbers/:number/delete", administrators, s.releaseNumberPage, 0},
		{post, "/admin/workstreams/:workstream/numbers/:number/delete", administrators, s.releaseNumber, 0},
		{get, "/admin/workstreams/:workstream/numbers/:number/:step", administrators, s.numberPage, 0},
		{post, "/admin/workstreams/:workstream/numbers/:number/:step", administrators, s.saveNumberSettings, 0},

		// Queues.
		{get, "/admin/queues", administrators, s.queuesPage, 0},
		{post, "/admin/queues", administrators, s.addQueue, 0},
		{get, "/admin/queues/new", administrators, s.newQueuePage, 0},
		{get, "/admin/queues/:queue", administrators, s.queuePage, 0},
		{post, "/admin/queues/:queue", administrators, s.renameQueue, 0},

		// Message templates.
		{get, "/admin/templates", supervisors, s.templatesPage, 0},
		{get, "/admin/templates/list", supervisors, s.templatesPart, 0},
		{get, "/admin/templates/new", supervisors, s.newTemplatePage, 0},
		{post, "/admin/templates", supervisors, s.addTemplate, 0},
		{get, "/admin/templates/create", supervisors, s.makeTemplatePage, 0},
		{post, "/admin/templates/create", supervisors, s.makeTemplate, 0},
		{post, "/admin/templates/fetch", supervisors, s.fetchTemplates, 0},
		{get, "/admin/templates/:template", supervisors, s.templatePage, 0},
		{post, "/admin/templates/:template", supervisors, s.changeTemplate, 0},
		{post, "/admin/templates/:template/submit", supervisors, s.submitTemplate, 0},
		{get, "/admin/templates/:template/delete", supervisors, s.deleteTemplatePage, 0},
		{post, "/admin/templates/:template/delete", supervisors, s.deleteTemplate, 0},

		// People.
		{get, "/admin/users", administrators, s.usersPage, 0},
		{get, "/admin/users/new", administrators, s.newUserPage, 0},
		{post, "/admin/users", administrators, s.addUser, 0},
		{get, "/admin/users/:user", administrators, s.userPage, 0},
		{post, "/admin/users/:user", administrators, s.changeUser, 0},
		{post, "/admin/users/:user/link", administrators, s.resetUser, 0},
		{post, "/admin/users/:user/deactivate", administrators, s.deactivateUser, 0},
		{post, "/admin/users/:user/reactivate", administrators, s.reactivateUser, 0},
	}
}

// troubleRoutes are those of the connection check, of what Twilio says that could not be taken in, and of what it says
// went wrong.
func (s *Server) troubleRoutes() []route {
	return []route{
		{get, "/admin/check", administrators, s.checkPage, 0},
		{get, "/admin/check/rows", administrators, s.checkRows, 0},
		{get, "/admin/check/message", administrators, s.testMessagePage, 0},
		{post, "/admin/check/message", administrators, s.sendTestMessage, 0},
		{get, "/admin/quarantine", administrators, s.quarantinePage, 0},
		{post, "/admin/quarantine/replay", administrators, s.replayReason, 0},
		{get, "/admin/quarantine/:call", administrators, s.quarantinedPage, 0},
		{post, "/admin/quarantine/:call/replay", administrators, s.replayCall, 0},
		{post, "/admin/quarantine/:call/discard", administrators, s.discardCall, 0},
		{get, "/admin/alerts", administrators, s.alertsPage, 0},
	}
}
