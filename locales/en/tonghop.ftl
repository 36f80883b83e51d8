### Every sentence that the server says to people, in English.

## error

fault-at-line = Line { $line }: { $sentence }
fault-in-cell = Line { $line }, column { $column }: { $sentence }
error-internal = The service failed.

## authn/token

token-expired = Your session has expired. Sign in again. Programs get a new token with their refresh_token.
token-refused = You are not signed in with a session that is valid. Sign in again.
internal-with-request-id = The service failed. Tell its operator, with the request_id.

## authz/denied

action-read-units = see this unit
action-read-levels = see the catalogue
action-reorganise = reorganise units
action-manage-accounts = manage accounts here
action-appoint-managers = make somebody manager of units here
action-create-units = add units here
action-change-levels = change levels
action-change-catalogue = change the catalogue
action-change-forms = make or change this form
action-change-submissions = enter or submit for this unit
action-set-targets = set targets for this unit
action-decide-submissions = approve, return or reopen for this unit
action-read-releases = read the reports that this unit sent up
action-send-releases = send or recall this unit's report
action-receive-releases = receive or return this unit's report
action-date-papers = say on which day a paper of this unit came in
action-give-extensions = give this unit more time, or take that back
action-arrange-subtree-reporting = let this unit report for all units below it, or take that back
access-this-unit = this unit
access-owning-unit = the unit that the form belongs to (owner)
access-role = the role { $role }
access-any-role = a role (any of them)
access-holder = somebody with { $role } { $place }
access-on-unit = on { $unit } or a unit above it
access-on-root = on { $unit }
access-above-unit = on a unit above { $unit }
access-on-system = for the whole system
access-giver-of-unit = the person who manages the accounts of { $unit }
access-giver-above = the person who manages the accounts of the unit above { $unit }
access-giver-of-system = an administrator of the whole system
access-no-role = You may not { $action }: that takes { $role } { $place }, which you do not have. Ask somebody who has it to do this, or ask { $giver } for it.
access-other-units = You may not { $action }: your role allows that for other units. Here it takes { $role } { $place }. Ask { $giver } for it.
access-own-unit = You may not { $action }: your role is on this very unit and allows that for the units below it. Here it takes { $role } { $place }. Ask somebody who has it to do this, or ask { $giver } for it.
access-allowed-from = You may { $action } from { $from } on only. Choose days from then on, or ask { $giver } for a role on the other days.
access-allowed-between = You may { $action } from { $from } to { $to } only. Choose days among those, or ask { $giver } for a role on the other days.

## authz/policy

role-reporter = { $code }
role-approver = { $code }
role-viewer = { $code }
role-unit-admin = manager of units ({ $code })
role-tenant-admin = administrator ({ $code })

## command/report

report-above = Below: { $names }
report-last-day = This unit stands until { $day }
report-period = Period: { $period }, from { $from } to { $to }
report-due = Due: { $deadlines }
report-received = { $submitted } of { $expected } reports are in: { $late } late, { $approved } approved.
report-missing = { $missing } are missing, of which { $overdue } are overdue.
report-silent = Nothing came from: { $names }.
report-silent-among-others =
    Nothing came from: { $names } and { $count ->
        [one] { $count } other unit
       *[other] { $count } other units
    }.
report-column-number = No.
report-column-name = Indicator
report-column-unit-of-measure = Unit of measure
report-column-plan = Plan
report-column-value = Value
report-column-share = Of the plan
report-column-previous = Last year
report-column-reported = Units with figures
report-received-from-below = Received from below
report-note-reported = Units with figures: how many units have figures, of how many that must report.
report-note-previous = Last year: within this period's boundaries, only what was reported last year.
report-note-taken = { $indicators }: taken from the form { $form }, with units counted in each of its periods.
report-note-undivided = The figures contain the part of former units that could not be divided between the new ones: { $names }. The former unit's report counts among those received too, so received and missing can be more than expected together.
report-note-undivided-elsewhere = The figures do not contain the part of former units that could not be divided between the new ones: { $names }. It counts at a unit above, or can be read by the code of the former unit.
report-at-least = over { $value }
report-at-most = under { $value }
report-estimate = about { $value }
report-units-then = By the units of then
report-units-of-day = By the units of { $day }

## document/table

table-document-unit = Unit
table-document-code = Code of unit
table-document-expected = Expected
table-document-submitted = Submitted
table-document-approved = Approved
table-document-late = Late
table-document-previous = a year before, { $period }
table-document-previous-without-period = a year before
table-document-target = target, { $period }
table-document-at-least = at least
table-document-at-most = at most
table-document-estimate = about

## document/table/csv

table-document-row = Row
table-document-row-of-unit = unit
table-document-row-not-divided = not divided
table-document-row-of-total = whole unit
table-document-kind = Kind
table-document-level = Code of level
table-document-heading = { $name }, { $measure } ({ $unit_of_measure })
table-document-qualifier = Qualifier: { $heading }

## document/table/xlsx

table-document-sheet = Table
table-document-not-divided = { $unit } (part not divided)
table-document-total = Total: { $unit }
table-document-total-not-sum = { $unit } (this row is not the sum of the rows above)
table-document-stage-submitted = Figures that were submitted, on the map of { $day }.
table-document-stage-approved = Figures that were approved, on the map of { $day }.
table-document-long-numbers = Numbers of more than 15 digits are written as text, since a spreadsheet does not keep all their digits.

## http/allowance

allowance-too-many-requests = This account, or your organisation, sends too many requests at once. Wait a moment and try again.
allowance-too-many-bytes = This account, or your organisation, has sent too much today. Try again in { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}.

## http/approval

approval-count = Send 1 to { $most } submissions in one call.
approval-not-seen = Look at each submission before you approve it. Programs put the ETag that they read into if_match, in double quotes; * is not taken here.

## http/batch

batch-count = Send 1 to { $most } submissions in one call.
batch-both-conditions = An item either creates (create) or replaces (if_match). Leave one of the two out.
batch-malformed-etag = Write the ETag that was read into if_match, in double quotes, or * for any state.

## http/change

change-last-event-id = Last-Event-ID is the id of an event of this stream: a whole number.

## http/contract

contract-method-not-allowed = This path does not take { $method }, only { $allowed }.
contract-unknown-parameter = There is no parameter { $name }. Those taken are: { $allowed }.
contract-unknown-parameter-none-like-it = There is no parameter { $name }.
contract-wrong-content-type = The body's Content-Type must be: { $taken }.
contract-query-pairs = The parameters after ? cannot be read.
contract-parameter-twice = The parameter { $name } may be given once.
contract-parameter-with-nul = The parameter { $name } holds a NUL character.
contract-missing-parameter = The parameter { $name } is missing.
contract-wrong-query = The parameters are not valid.

## http/event_stream

event-stream-too-many = Too many are following the changes at once. Close a stream that is no longer needed, or try again in some seconds.

## http/front_page

front-page-title = Tonghop is working
front-page-text = This server collects reports and has no pages for people yet. If a link with an invitation brought you here: enter the code at the end of the link in the program in which you report, and choose your password there. If you have no such program, ask the person who sent you the link.

## http/parameter

shape-text = The parameter { $name } is a text of { $least } to { $most } characters.
shape-day = The parameter { $name } is a day written YYYY-MM-DD (such as 2025-07-01), from 1900-01-01 to 2199-12-31.
shape-yes-or-no = The parameter { $name } is true or false.
shape-one-of = The parameter { $name } is one of: { $options }.
shape-whole = The parameter { $name } is a whole number from { $minimum } to { $maximum }.

## http/problem

problem-not-signed-in = You are not signed in. Sign in and try again. Programs send Authorization: Bearer with an access token.
problem-not-allowed = You are not allowed to do this.
problem-route-not-found = There is nothing at this path. See /docs for what there is.
problem-method-not-allowed = This path does not take that method.
problem-body-too-large = The body of the request is too large.
problem-too-slow = The request came too slowly. Send it again when the network is better.
problem-overloaded = There are too many requests at once. Nothing was written; try again in some seconds.
problem-unsupported-media-type = The content type of the request is not supported.
problem-unavailable = The service is not available at the moment. Try again in some seconds.
problem-internal = Something failed on the server. Tell its operator the number of this request.
problem-malformed = The request cannot be read.
kind-malformed = Malformed request
kind-sign-in-failed = Signing in failed
kind-unauthenticated = Not signed in
kind-forbidden = Not allowed
kind-not-found = Not found
kind-method-not-allowed = Method not allowed
kind-conflict = Conflict
kind-too-large = Too large
kind-unsupported-media-type = Unsupported content type
kind-invalid = Invalid content
kind-stale = Changed meanwhile
kind-condition-required = Condition required
kind-too-slow = Too slow
kind-too-many-requests = Too many requests
kind-internal = Internal error
kind-unavailable = Not available

## http/table

table-columns = Choose the columns of the table: period (indicators of one period), or from, to and indicator together (one indicator in several periods). Do not mix the two.

## http/token

token-unknown-grant-type = There is no grant_type { $other }. Use password, refresh_token or client_credentials.
token-client-twice = Send the key either in the Authorization header or in the form, not in both.
token-missing = { $name } is missing.
token-field-missing = Something that signing in needs is missing.
token-too-many-sign-ins = Too many are signing in. Try again in some seconds.

## http/violation

json-type-null = null
json-type-boolean = true or false
json-type-integer = a whole number
json-type-number = a number
json-type-string = a string
json-type-array = an array
json-type-object = an object
contract-unknown-field = There is no field { $field }. Those taken are: { $allowed }.
contract-unknown-field-none-like-it = There is no field { $field }.
contract-missing-field = The field { $field } is missing.
contract-wrong-type = The value must be { $words }.
contract-not-an-option = The value must be one of: { $options }.
contract-no-day = A day is written YYYY-MM-DD (such as 2025-07-01), from 1900-01-01 to 2199-12-31.
contract-too-small = The value must not be below { $limit }.
contract-too-large = The value must not be above { $limit }.
contract-not-as-described = The value is not as the document describes it. See /docs.

## http/request/body

body-unexpected-body = This request takes no body. Leave it out.
body-wrong-charset = The body's charset must be utf-8.
body-broken-off = The body broke off, or is not compressed as its header says.

## http/request/condition

condition-tag-for-a-change = For a change, If-None-Match takes only *. Use If-Match with the ETag that you read.
condition-both = Send either If-Match or If-None-Match, not both.
condition-malformed-tags = ETags stand in double quotes, with commas between them, or it is *.

## http/request/form

fields-unreadable = The fields that were sent cannot be read.

## http/request/header

header-no-text = The header { $name } holds characters other than ASCII.

## http/request/idempotency

idempotency-unquoted-key = An Idempotency-Key has 1 to { $longest_key } printable ASCII characters, without " and \.

## http/request/json

json-too-many-elements = The body has too many elements: at most { $most }. Send it in parts.
json-wrong-body = The body is not as the API describes it. See each fault in errors.
json-empty-body = The request needs a JSON body.
json-grouped-number = The number { $number } in line { $line } has thousands separators. Write it without: { $digits }.
json-broken-off = The body breaks off in line { $line }, column { $column }: it is not the whole of its JSON. Send all of it.
json-malformed = The body is not valid JSON: line { $line }, column { $column }.
json-field-twice = The field { $field } stands there twice. Remove one of the two.
json-value-unreadable = The value cannot be read; see its description at /docs.

## http/request/limit

limit-body-too-large = The body is too large: at most { $limit } bytes. Shorten its prose, or send a file in parts.

## http/request/packing

body-wrong-encoding = The only Content-Encoding is gzip, or send the body as it is.

## http/request/page

page-limit = limit is a number from 1 to { $most }.

## http/request/query

query-unreadable = The parameters cannot be read; see those that are taken at /docs.
query-parameter-unreadable = The parameter { $name } cannot be read; see the values that it takes at /docs.

## http/request/text

text-too-many-lines = The file has too many lines: at most { $most_lines }. Send it in parts.
text-not-utf8 = The file is not UTF-8 (line { $line }). Save it again as CSV UTF-8.

## sentence/formula

formula-too-long = the expression has { $bytes } bytes; at most { $max_bytes } are allowed
formula-too-deep = at { $position }: nested more than { $max_nesting } deep
formula-too-many-values = at { $position }: more than { $max_values } numbers, indicators and functions
formula-unexpected-character = at { $position }: the character { $found } has no meaning here
formula-unexpected = at { $position }: expected { $expected }, found `{ $found }`
formula-unexpected-end = at { $position }: the expression ends where { $expected } was expected
formula-invalid-number = at { $position }: `{ $found }` is not a decimal number such as 100 or 0.5
formula-invalid-indicator = at { $position }: `{ $found }` is not the code of an indicator
formula-invalid-option = at { $position }: `{ $found }` is not the code of an option
formula-unknown-function = at { $position }: there is no function `{ $found }`
formula-wrong-argument-count =
    at { $position }: `{ $function }` does not take { $count ->
        [one] { $count } argument
       *[other] { $count } arguments
    }
formula-comparison-only = at { $position }: `{ $function }` is allowed in comparisons only
formula-expected-value = a value
formula-expected-indicator = an indicator
formula-expected-option = an option
formula-expected-operator = an operator
formula-expected-comparison-sign = one of <= < >= > = !=
formula-expected-closing-bracket = `]`
formula-expected-closing-parenthesis = `)`

## sentence/naming

days-from = from { $from } on
days-from-to = from { $from } to { $to }
list-or = { $one } or { $other }
list-and = { $one }; { $other }

## sentence/period

period-week = week { $week } of { $year }
period-month = month { $month } of { $year }
period-quarter = quarter { $quarter } of { $year }
period-first-half = first half of { $year }
period-second-half = second half of { $year }
period-nine-months = first nine months of { $year }
period-year = year { $year }
period-range = { $first } to { $last }

## sentence/plan

plan-no-unit = At this step there is no unit { $reference } (on the map of the effective day, after the steps before).
plan-two-units = At this step two units have { $reference }. Name the unit by its id.
plan-into-itself = { $name } cannot become part of itself. Name the unit that it becomes part of.
plan-named-twice = { $name } is named twice in this step. Remove one of the two.
plan-divided-before = { $name } was divided by an earlier step. Name all its parts in one step.
plan-child-not-of-source = { $child } is no part of { $source }. Remove it.
plan-part-unknown = { $part } is none of the parts. Choose one of them.
plan-child-unassigned = { $name } is assigned to none of the parts. Add it to children.
plan-ends-unborn = This unit is made by the same document. Name the unit that there is in the end.
plan-changed-later = { $name } changes on { $day }, after the effective day. Undo the later reorganisation first.
plan-stands-from-this-day = { $name } stands from this very day, { $day }, on. Undo what made it, or choose a later day.
plan-level-too-low = { $child } is part of this unit, for which the level { $level } is too low. Move { $child } first.
plan-no-such-level = There is no level { $level } from { $day } on. Those there are: { $levels }.
plan-parent-ended = { $name } stands no more and cannot be the unit above. Choose another.
plan-parent-not-above = A unit of the level { $level } cannot be part of { $name } (level { $above }). Choose one above.
plan-parent-ends-later = { $name } comes to an end later. Undo the later reorganisation first.
plan-code-taken = The code { $code } is { $name }'s. One code belongs to one unit at a time: choose another code, or give { $name } another one first.
plan-units-below =
    { $name } still has { $count ->
        [one] { $count } unit
       *[other] { $count } units
    } below it ({ $names }). Move what is below it, or merge it.
plan-child-moved-later = A later reorganisation makes { $child } part of { $name }. Undo that first.
plan-level-not-standing = There is no level { $level } up to { $day }. Those there are: { $levels }.
plan-units-at-level =
    The level { $level } still has { $count ->
        [one] { $count } unit
       *[other] { $count } units
    } ({ $names }). Merge, move to another level or abolish these first.

## sentence/quantity

quantity-empty = The value of { $name } is empty. Enter a number, or leave the line out where there is none yet.
quantity-grouped = The value of { $name } has thousands separators ({ $text }). Write it without: { $digits }.
quantity-decimal-comma = The value of { $name } has a comma ({ $text }). Write decimals with a point ({ $pointed }), and thousands without a separator.
quantity-no-number = The value of { $name } is not a number ({ $text }). Write the number alone, without a unit of measure and thousands separators, with a decimal point. Over, under and about are told by its qualifier (at_least, at_most, estimate).
quantity-out-of-range = The value of { $name } is too large. Check its digits and its unit of measure.
quantity-too-many-decimals =
    { $name } has at most { $decimals ->
        [one] { $decimals } decimal
       *[other] { $decimals } decimals
    }, and { $text } has more. Nothing is rounded for you: enter it again.
quantity-whole-with-point = { $name } is a whole number, and { $text } has a point. If it stands between thousands, write { $digits }; nothing is rounded for you.
quantity-whole-with-decimals = { $name } is a whole number, and { $text } has decimals. Nothing is rounded for you: enter the whole number.

## sentence/reorganisation

reorganisation-nothing-listed = The list is empty. Give one item at least.
reorganisation-not-after-beginning = The effective day must be after { $first }.
reorganisation-too-few-parts = A unit is divided into two parts at least. For one, use a merger (merge).
reorganisation-shares-not-whole = Either every part has a share and they add up to one, or none has.
reorganisation-no-share = A share is a fraction above 0 and at most 1, such as 7/10.
reorganisation-basis-missing = Say what the shares go by, such as population.
reorganisation-no-reference = { $name } names no unit. Give its id, or code: and its code (such as code:30388).
reorganisation-no-level = There is no level { $name }. Give a level's code, such as commune (/v1/levels lists them).

## sentence/release

release-sent-already = This report was sent and waits to be received. Receive it, return it or recall it.
release-received-already = The unit above has received this report. If something has changed, send a new one that corrects it.
release-received-by-you = This report was received, so it cannot be received again or returned. If something in it is wrong, ask the unit to send a new one that corrects it.
release-returned-already = This report was returned. Correct it and send a new one.
release-returned-by-you = This report was returned. Wait until the unit has corrected it and sends a new one.
release-recalled-already = This report was recalled. Send a new one.
release-recalled-below = This report was recalled. Wait until the unit sends a new one.
release-lack-own = { $name } has not submitted all of its own figures for this period ({ $missing } of { $expected } are missing). Submit them first, then send the report; if there are none, name the unit under accept with a reason.
release-lack-own-taken = { $name } has not submitted all of its own figures on the form { $form }, from which this report takes figures ({ $missing } of { $expected } are missing). Submit them on that form first, then send the report; if there are none, name the unit under accept with a reason.
release-lack-missing = { $name } lacks { $missing } of { $expected } reports. Ask the unit to send what is missing (if it was returned: to correct it and send it again), or name the unit under accept with a reason.
release-lack-unapproved =
    { $name } has { $unapproved ->
        [one] { $unapproved } report that is
       *[other] { $unapproved } reports that are
    } not approved. Approve what you find right, or name the unit under accept with a reason.
release-lack-missing-taken = { $name } lacks { $missing } of { $expected } reports on the form { $form }, from which this report takes figures. Ask the unit to send them on that form, or name the unit under accept with a reason.
release-lack-unapproved-taken =
    { $name } has { $unapproved ->
        [one] { $unapproved } report that is
       *[other] { $unapproved } reports that are
    } not approved on the form { $form }, from which this report takes figures. Approve on that form what you find right, or name the unit under accept with a reason.
release-lack-not-sent = { $name } has not sent its own report. Ask the unit to send it, or name the unit under accept with a reason.
release-lack-not-received = The report of { $name } was sent and is not received. Look at it and receive it, or name the unit under accept with a reason.
release-too-many-recipients = There are at most { $most } recipients. Leave some out.
release-nothing-to-accept = { $name } lacks nothing and need not be accepted. Leave this line out.
release-accepted-twice = { $name } is named twice. Leave one line out.
release-unknown-part = { $unit } is neither { $sender } nor a unit directly below it. Give the right one by its id, or by code: and its code (such as code:30388-01), or leave this line out.

## sentence/submission

submission-unknown-indicator = The form { $form } has no indicator { $name }. See the form's outline for those it has.
submission-no-options = { $indicator } has no options, so no { $name }. Enter one total.
submission-unknown-option = { $indicator } has no option { $name }. Use one of these: { $known }.
submission-derived = { $indicator } is computed by the system. Leave it out.
submission-from-form = { $indicator } comes from the form { $form }. Enter it there and leave it out here.
submission-not-collected-here = { $indicator } is not collected at the level { $level }, only at: { $collecting }. Leave it out.
submission-entered-twice = { $figure } is entered twice. Remove one of the two.
submission-unknown-section = The form { $form } takes no prose in a section { $name }. The sections that take prose are: { $taking }.
submission-no-prose = The form { $form } takes no prose in any section. Leave out that of section { $name }.
submission-section-twice = Section { $section } has two passages. Make them one.
submission-asked-no-more = The draft holds an indicator that the form asks this unit for no more. Save it anew.
submission-option-gone = The draft holds an option that { $indicator } has no more. Save it anew.
submission-option-missing = { $indicator } lacks its option { $option }. Enter it (0 where there is none).
submission-options-too-large = The options of { $indicator } add up to too large a number. Check them.
submission-totals-differ = { $indicator }: its options ({ $options }) add up to { $sum }, and the total is { $known }. Make them agree.
submission-total-missing = { $indicator } has parts and no total. Enter the total.
submission-options-exceed-total = { $indicator }: its parts ({ $sum }) exceed the total ({ $total }). Correct them.
submission-nil-without-flows = The form { $form } asks this unit for nothing that happens within a period, so "nothing happened" says nothing here. Take that mark off and enter the present figures.
submission-required-missing = The required { $indicator } is missing. Enter it (0 where there is none).
submission-stock-missing = "Nothing happened" says nothing of figures that stand, such as { $indicator }. Enter the present figure (the same as last time if it has not changed).
value-below-minimum = { $name }: { $value } is less than the least it can be, { $least }. Check the number and its unit of measure.
value-above-maximum = { $name }: { $value } is more than the most it can be, { $most }. Check the number and its unit of measure.
value-below-usual = { $name }: { $value } is less than usual (from { $least } on). If it is right nothing needs to be done; if not, correct it and send it again.
value-above-usual = { $name }: { $value } is more than usual (up to { $most }). If it is right nothing needs to be done; if not, correct it and send it again.
value-jumped-down = { $name }: { $value } is less than 1/{ $factor } of the mean of the last { $count } reported periods ({ $mean }). If it is right nothing needs to be done; if not, correct it and send it again.
value-jumped-up = { $name }: { $value } is more than { $factor } times the mean of the last { $count } reported periods ({ $mean }). If it is right nothing needs to be done; if not, correct it and send it again.
value-removed = What was sent before has { $figure } as { $was }, and this has nothing there. If it was left out by mistake, enter it and send again; if there is none, nothing needs to be done.
wrong-status-reopen-to-change = Ask { $who } to reopen it before you change it.
wrong-status-reopen-to-withdraw = Ask { $who } to reopen it before you withdraw it.
wrong-status-approved-already = It need not be approved again; to return it, reopen it first.
wrong-status-draft-not-submitted = The unit has not submitted its draft yet; wait until it does.
wrong-status-only-submitted = Only what is submitted can be approved or returned. Wait until the unit submits it again.
wrong-status-submitted-already = It need not be sent again; to correct it, put new values.
wrong-status-only-approved = Only what is approved can be reopened.
wrong-status-withdrawn-already = There is nothing to do; to send it again, put values.
wrong-status-returned-counts-nowhere = What was returned does not count any more; correct it and submit it again.
wrong-status-draft-over-nothing = Nothing of the unit counts for this period yet, so there is nothing to go back to. Change the draft, or leave it: it counts nowhere.
wrong-status-no-draft = There is no draft to discard. To correct what was sent, put new values; to take it back, withdraw it.
wrong-status-nothing-sent = Nothing of it was sent, so nothing is to be taken back; change the draft or leave it.
submission-wrong-status = The status of the submission is “{ $status }”. { $todo }
status-draft = draft
status-submitted = submitted
status-approved = approved
status-returned = returned
status-withdrawn = withdrawn
status-reopened = reopened

## sentence/text

text-empty = The text is empty. Enter a text.
text-no-reason = The reason is missing. Enter one.
text-too-long = The text is longer than { $limit } characters. Shorten it.
text-control = The text holds an invisible control character. Type it instead of pasting it.
text-invisible = The name holds a character that nobody sees (a space without width, a mark of direction). Type it instead of pasting it.

## sentence/unit

unit-invalid-code = A unit's code has 1 to 40 letters, digits, dots, underscores or hyphens.

## sentence/written

written-empty = The cell of { $name } is empty. Write a number.
written-no-number = The cell of { $name } says { $text }, which cannot be read as a number. Write the number alone, as 1562410000 or 93,64; over, under or about may stand before it.
written-ambiguous = The cell of { $name } says { $text }, which can be read as { $thousands } or as { $decimals }. For { $thousands } write it without a mark; for { $decimals } write all { $places } decimals, or enter it in a cell for numbers.
written-ambiguous-whole = The cell of { $name } says { $text }, which can be read as { $thousands } or as { $decimals }. { $name } is a whole number; for { $thousands } write it without a mark.
written-percent = The cell of { $name } is a percentage ({ $text }), and the unit of measure of this indicator is not %. Write the number in its unit of measure, in a cell for numbers.
written-whole = { $name } is a whole number, and the cell says { $text }, which has decimals. Nothing is rounded for you: write the whole number.
written-too-many-decimals =
    { $decimals ->
        [one] { $name } has at most 1 decimal, and the cell says { $text }. Nothing is rounded for you: write it again.
       *[other] { $name } has at most { $decimals } decimals, and the cell says { $text }. Nothing is rounded for you: write it again.
    }
written-out-of-range = The number in the cell of { $name } is too large ({ $text }). Check its digits and its unit of measure.
marks-none = digits without marks
marks-thousands = the { $thousands } between thousands
marks-decimals = the { $decimals } before the decimals
marks-both = the { $thousands } between thousands, the { $decimals } before the decimals
mark-point = point
mark-comma = comma
mark-space = space

## service/application/condition

condition-required = Load what is there and change that, so that nobody else's change is lost. Programs send If-Match with the ETag that they read, or If-None-Match: * to create.
condition-not-seen = Read it as it is now first, so that you do not decide on an older state. Programs send If-Match with the ETag that they read.
condition-already-there = Somebody has made this already: load it, look at it and change that. Programs send If-Match with its ETag.
condition-nothing-there = There is nothing here yet to change: make it new. Programs send If-None-Match: * with it.
condition-failed = Somebody has changed this since you read it: load it again, look at the change, then send yours again. Programs send If-Match with the new ETag.

## service/application/idempotency

idempotency-reused = Something else was sent before under the same key, and nothing was written now. Send it as a new request. Programs use a new Idempotency-Key.
idempotency-in-flight = This very request was sent before and is being worked on. Wait some seconds and send it again.

## service/application/locate

not-found-form = There is no form { $form }. Choose one of the list of forms (/v1/forms).
not-found-period = The form { $form }, in use since { $since }, has no period { $period }. Choose one from its list of periods ({ $list }).
not-found-period-of-form = The form { $form } has no period { $period }. Choose one from its list of periods ({ $list }).
not-found-base-period = The period { $period } of the form { $form } is made of shorter ones. Choose one of those: { $bases }.
not-found-unit = There is no unit { $unit } on { $day }. Give its id, or code: and its code (such as code:30388).
not-found-not-yet = { $name } stands from { $first_day } on, and not yet on { $day }. Choose a later period or day, or the unit that was there before.
not-found-ended = { $name } ended on { $last_day }. Choose another unit or another period. If it has not ended, tell an administrator of the whole system, who keeps the units.
not-found-ended-with-heirs = { $name } ended on { $last_day }. Use what took it over: { $heirs }. If it has not ended, tell an administrator of the whole system, who keeps the units.
not-found-earlier-map = Figures up to { $closing } cannot be put on the older map of { $day }. Choose a day of the map (as_of) of { $closing } or later.

## service/application/page

page-unknown-cursor = The cursor is none of this list's, or the list has changed. Read again from the first page.

## service/application/table

table-missing-columns = Line { $line } lacks the columns { $columns }. Every line has all columns, separated by commas, semicolons or tabs; a cell may be empty.

## service/application/throttle

throttle-too-many-failures = There were too many wrong attempts. Try again in { $seconds ->
    [one] { $seconds } second
   *[other] { $seconds } seconds
}. If you have forgotten the password, ask the person who manages the accounts of your unit for a new invitation.

## service/catalogue/form

form-invalid =
    Nothing was written: the form has { $count ->
        [one] { $count } fault
       *[other] { $count } faults
    }.
fixed-form-part-window = There are submissions or sent reports for { $period }, so it can neither go nor change its days. List it among the windows with the days that it has; its name and when it is due (due_at) may change.
fixed-form-part = There are submissions, targets or sent reports for { $period }, so { $gone } cannot go. Make a version that holds (valid_from) after it.
form-owner-missing = A form without an owner is one of the whole system, which only an administrator makes. To make one for your own unit, give that unit as owner, such as { $example }.
form-invalid-code = A form's code is words of lower-case letters, digits and underscores, joined by dots.
form-jump-factor = The factor for a warning of jumps (`jump_factor`) is a whole number from { $least } to { $most }; leave it out to warn of none.
form-deadline-too-late = A deadline is at most { $most } working days after the closing day. Enter fewer.
form-calendar-and-windows = A form has a calendar and a frequency, or windows of its own, and not both. Leave one of the two out.
form-periods-incomplete = A form without windows of its own needs { $field }.
form-window-twice = The window { $key } stands there twice. Remove one of the two, or give it another name.
form-window-invalid-key = A window's key is a year from 1900 to 2199, a hyphen and a name of 1 to 24 lower-case letters, digits and hyphens that begins with a letter (such as 2025-tet). The name is not w, q or h with a number: these are weeks, quarters and halves.
form-window-outside-year = No day of the window lies in { $year }. Correct the year in its key, or its days.
form-window-days-reversed = The last day ({ $to }) comes before the first ({ $from }). Correct one of the two.
form-window-before-version = This window ends on { $to }, before the version begins (valid_from, { $day }). Leave it out, or list it in a version that begins earlier.
form-invalid-due-at = It is due on a day (such as 2025-02-10), or at an instant with its offset (such as 2025-02-10T17:00:00+07:00).
form-due-before-first-day = It is due before its first day ({ $from }), so nobody could be in time. Correct when it is due (due_at).
form-level-twice = The level { $level } stands there twice. Remove one of the two.
form-level-without-duty = The level { $level } neither submits this form nor has a level below it that does, so it has nothing to send by a deadline. Leave it out, or add it to the levels that submit (submitted_by).
form-level-does-not-submit = The level { $level } does not submit this form. Leave it out, or add it to the levels that do (submitted_by).
form-no-levels = At least one level is needed; leave the field out if every level that submits collects.
form-unknown-level = There is no level { $level }. Use one of these levels: { $levels }.
form-section-number = A section's number is letters, digits and dots (such as II.2.1), unlike the others.
form-unknown-indicator = The catalogue has no indicator { $name }. Add it first.
form-takes-from-unknown-form = There is no form { $name } to take figures from. See the codes of the catalogue's forms.
form-takes-from-itself = { $indicator } cannot come from this very form. Choose another form, or collect it on this one.
form-takes-from-other-periods = The form { $from } has no period with the same days for each period of this form, so { $indicator } cannot come from there. Choose a form with the same calendar whose periods are as long or shorter; windows of a form's own cannot be shared.
form-takes-what-is-not-entered = Nobody enters { $indicator } on the form { $from }, so it cannot come from there. Add it to that form first, or take it from the form on which it is entered.
form-taken-is-not-entered = A figure that comes from another form is not entered on this one. Leave this out, or collect the figure on this form.
form-figure-needed = The form { $form } takes { $indicator } from this form, so it must still be entered here, with a calendar and a frequency that fit. Change { $form } first.
form-indicator-twice = { $indicator } stands at two places of the outline. Remove one of the two.
form-rule-code = A rule's code is capital letters, digits and underscores, unlike the others and the system's own warnings.
form-rule-unreadable = The rule cannot be read: { $reason }. An example: fund.spent <= fund.raised.
form-operand-not-held = It uses { $operand }, which this form does not hold. Add that indicator to the outline.
form-formula-operand-not-held = { $indicator } uses { $operand }, which this form does not hold. Add that indicator to the outline.
fixed-form-subtree-reporting = From or until { $period } a unit is to report for all units below it, so this period keeps its days. Take that back first, or make a version that holds (valid_from) after it.
fixed-form-part-periods = its calendar and frequency
fixed-form-part-level = the level { $level } that submits
fixed-form-part-recipient = the unit { $unit } that submits
fixed-form-part-indicator = the indicator { $indicator }
form-field-calendar = calendar
form-field-frequency = frequency

## service/catalogue/form/asked

fixed-form-owner = The form { $form } belongs to { $owner }, and that never changes. Give this unit as its owner, or make another form with another code.
fixed-form-no-owner = The form { $form } is of the whole system, and no unit can take it over. Leave its owner out, or make another form with another code.
form-no-level-submits = A form needs at least one level that submits it (submitted_by), or units by name (recipients).
form-levels-and-recipients = A form asks either all units of some levels (submitted_by) or units by name (recipients). Leave one of the two out.
form-no-recipients = Name at least one unit that submits, or leave this out and give the levels that submit (submitted_by).
form-too-many-recipients = At most { $most } units can be named. Ask by level (submitted_by), or make several forms.
form-unknown-unit = On { $day } there is no unit { $unit }. Give its id, or code: and its code (such as code:30388).
form-recipient-elsewhere = On { $day } there is no unit { $unit } at or below { $owner }. A form of { $owner } asks only units there: choose one of them.
form-recipient-twice = The unit { $unit } stands there twice. Remove one of the two.

## service/catalogue/indicator

indicator-invalid =
    Nothing was written: the indicator has { $count ->
        [one] { $count } fault
       *[other] { $count } faults
    }.
indicator-not-found = There is no indicator { $code }. Choose one of the catalogue (/v1/indicators).
fixed-part-decimals = The decimals
fixed-part-unit-of-measure = The unit of measure
fixed-part-aggregation = The aggregation
fixed-part-breakdowns-named = The breakdowns
fixed-part-in-use = { $part } cannot change any more: there are values or targets, and they would mean something else. Make a new indicator.
indicator-code-form = An indicator's code is words of lower-case letters, digits and underscores, joined by dots, at most 100 characters.
indicator-decimals = Decimals are 0 to 9.
indicator-formula-with-aggregation = An indicator with a formula has no aggregation (across_units, across_time) and no breakdowns. Leave them out.
indicator-collected-incomplete = An indicator that is collected says how it is put together { $words } ({ $field }).
indicator-formula-with-bounds = An indicator with a formula has no { $field }. Put bounds on the collected indicators that the formula uses.
indicator-usual-range-empty = What is usual has a from or a to.
indicator-bounds-reversed = The upper bound must not be less than the lower one.
indicator-formula-unreadable = The formula cannot be read: { $reason }. Use + - * /, parentheses, numbers and codes of indicators.
indicator-no-options = A breakdown needs at least one option.
indicator-invalid-code = A code is lower-case letters, digits and underscores, and unlike the indicator's others.
indicator-unknown-operand = The formula uses { $operand }, which the catalogue does not have on { $day }.
dependent-formula-on-form = The form { $form } holds this indicator, and on { $day } not { $operand }, which the formula uses. Add that to the form's outline first.
dependent-formula = The formula of { $by } uses { $operand }, which would not be there on { $day }. Keep it, or change that formula first.
indicator-taken-from-form = The form { $form } takes this indicator from the form { $from }, where it is entered, so it cannot become a formula. Change { $form } first, or make a new indicator.
dependent-rule = The rule { $rule } of the form { $form } uses { $operand }, which would not be there on { $day }. Keep it, or change that rule first.
indicator-formula-too-large = The formula comes back to itself through others, lies more than { $deepest } deep, or is too long when written out (over { $largest } values).
indicator-across-units = across units
indicator-across-time = across time
indicator-bound = the bound

## service/catalogue/holiday

holidays-not-found = The holidays of the year { $year } have not been entered. Until an administrator enters them, only Saturdays and Sundays are days off.
holidays-invalid =
    Nothing was written: the holidays have { $count ->
        [one] { $count } fault
       *[other] { $count } faults
    }.
holidays-invalid-year = A year has four digits and lies from 1900 to 2199. Write it as 2026.
holidays-outside-year = { $day } is not a day of { $year }. Enter it with the holidays of its own year.
holidays-day-twice = { $day } stands there twice. Remove one of the two.
holidays-not-a-saturday = { $day } is not a Saturday. Only a Saturday can be worked in exchange for another day: leave out this day, or correct it.
holidays-worked-and-off = { $day } is among the days off too. Remove it from one of the two lists.

## service/catalogue/level

level-invalid =
    Nothing was written: the level has { $count ->
        [one] { $count } fault
       *[other] { $count } faults
    }.
level-not-found = There is no level { $code }. Choose one of the list of levels (/v1/levels).
level-invalid-code = A level's code has at most 40 lower-case letters, digits and underscores, and begins with a letter.
level-rank-out-of-range = A level's rank is a number from 0 (the country) to 99; the smaller, the higher.
level-last-day-before-first = The last day must not be before the first.
level-rank-taken = The rank { $rank } is that of the level { $other }. Choose another.
level-rank-fixed = This level's rank is { $rank } and cannot change; make a new level.
level-units-outside = { $name } stands at the level { $level_named } { $days }, which is outside those days. Choose a wider range.

## service/feed/changes

changes-after-last = The last change is number { $last }; there is no { $after } yet. Perhaps an older state of the database was restored. Go on after { $last }, or read again from the beginning.

## service/feed/receipt

receipt-missing = There is no receipt { $number }, or this account may not read it. Compare the number with the one that you were told when you sent, or look for it in the history of the report.

## service/map/doubt

unit-name-looks-the-same = { $one } looks the same as { $other } beside it. See whether they are one unit.
unit-code-differs-by-zeros = The code { $code } differs from { $name }'s { $other_code } only by zeros before it, which spreadsheets drop. Check the code.

## service/map/draft

unit-unknown-level = There is no level { $level } on { $day }. Use one of these levels: { $levels }.
unit-parent-stands-until = { $name } stands until { $until } only. Choose a last day that is no later.
unit-parent-stands-since = { $name } exists since { $since } only. Choose a first day from then on.
unit-code-taken = The code { $code } is { $name }'s from { $first_day } on; only the first day differs. If that unit is meant, it is there already; if not, use another code.
unit-code-taken-differs = The code { $code } is { $name }'s. What differs: { $words }. If that unit is meant, change its name, kind or unit above by a reorganisation (the steps rename, retype and move at /v1/reorganisations); if not, use another code.
unit-differs-name = the name (it is { $was }, entered { $is })
unit-differs-kind = the kind (it is { $was }, entered { $is })
unit-differs-level = the level (it is { $was }, entered { $is })
unit-differs-parent = the unit above

## service/map/import

unit-list-code-twice = The code { $code } stands on two lines. Remove one of the two.
unit-parent-level-too-low = The unit above, { $name }, stands in the list at the level { $above }, which is not above the level { $level }. Correct the level, or choose a unit of a higher one.
unit-parent-twin = There is no unit above with the code { $name }, but there is { $twin }. Spreadsheets drop zeros before a number: make the column of codes text, and correct it.
unit-parent-unknown = There is no unit above with the code { $name }, neither in the list nor in the system.
office-parent-unknown = There is no unit above with the code { $name }. Import the statistics office's list of the level above first, or its list of all units.
unit-parent-ended = The unit above, { $name } ({ $code }), stands until { $to }, and the list begins on { $day }. Choose another one.
unit-parent-stands-from = The unit above, { $name } ({ $code }), stands from { $from } on, and the list begins on { $day }. Set valid_from to { $from } or later.

## service/map/office_list

office-list-empty = The list has no rows below its headings. Download it again.
office-list-wrong-columns = Line { $line } has cells beyond the headings. Download the list again, or correct the line.
office-code-digits = The statistics office writes the code of a { $level } with { $digits } digits, and here it is { $code }. Spreadsheets drop zeros before a number: download the list again and send it without opening it, or make the columns of codes text and write all zeros.
office-kind-unknown = Neither Cấp nor Tên says whether the unit is a district or a commune. Write one of these into Cấp: { $kinds }.
office-name-differs = The code { $code } has the name { $other } on line { $line }, and here { $name }. Correct one of the two.
office-parent-differs = The unit { $code } stands below { $other } on line { $line }, and here below { $parent }. Correct one of the two.

## service/map/mapping

mapping-invalid =
    Nothing was written: the tables have { $count ->
        [one] { $count } fault
       *[other] { $count } faults
    }.
mapping-missing-columns = It needs the columns { $columns }.
mapping-not-in-list = The new code { $code } is not in the list of units after. Add it there, or correct the code.
mapping-named-nowhere = { $name } ({ $code }, { $level }) stands and is in neither table. Add it to one of them; if it goes on, --keep-unlisted says so.
mapping-twice-in-list = The code { $code } stands on line { $first } already. Remove one of the two.
mapping-ended-in-list = The mapping has { $name } ({ $code }) end, and the list of units after has it. Remove this line, or correct the mapping.
mapping-other-level-in-list = { $name } ({ $code }) stands at the level { $level }, and the list has { $wanted }. Tables cannot change a level: correct the list, or write the document by hand (see --print).

## service/map/reorganisation

reorganisation-not-found = There is no reorganisation { $id }. See /v1/reorganisations for those there are.
reorganisation-undone = This reorganisation was undone already.
reorganisation-invalid =
    Nothing was written: the reorganisation has { $count ->
        [one] { $count } fault
       *[other] { $count } faults
    }. Correct each one listed.

## service/map/unit

unit-malformed = The list cannot be read. Its first line must be: code,name,level,parent_code[,kind], or the headings of a list of the statistics office.
unit-invalid =
    No unit was written: the list has { $count ->
        [one] { $count } fault
       *[other] { $count } faults
    }. Correct each one listed.

## service/map/unit_list

unit-list-wrong-columns = Line { $line } does not have the columns code,name,level,parent_code[,kind].
unit-list-empty = The list has no rows. Its columns are separated by commas, semicolons or tabs.

## service/map/reorganisation/preview

reorganisation-without-unit-above = What cannot be divided of units without a unit above in common ({ $count }: { $named }) will be in no unit's total. It can still be read in their own reports, and their successors' reports name it under map.not_divided. Give the shares, or create a unit above all of them first.

## service/map/reorganisation/undo

undo-later-reorganisation = A later reorganisation ({ $basis }, from { $day } on) changes the same units. Undo that first.
undo-later-submission = { $name } worked on its submission for { $period } after this reorganisation, which cannot be undone now.
undo-later-target = { $name } was set a target for { $period } after this reorganisation, which cannot be undone now.
undo-later-release = { $name } sent its report for { $period } up after this reorganisation, which cannot be undone now.
undo-subtree-reporting = { $name } is to report for all units below it on the form { $form }, and is there only since this reorganisation. Take that back first.
undo-form-names = The form { $form } belongs to { $name } or asks it, and this unit is there only since this reorganisation, which cannot be undone as long as the form does so.
undo-extension = { $name } was given more time for { $period }, and is there only since this reorganisation. Take the extension back first.
undo-later-grant = A grant on { $name } was made after this reorganisation. Take that grant back first.
undo-orphan = { $name } would be part of a unit that does not stand. Move it before this is undone.
undo-taken-code = The code { $code } is { $name }'s now. Give that unit another before this is undone.
undo-ended-level = { $name } is at the level { $level }, which has ended since. Let it hold again first.
undo-same-rank = The levels { $one } and { $other } would have the same rank. Change the new one first.

## service/people/account

account-invalid = The account is not in order and nothing was written.
account-login-taken = There is an account with the login { $login } already. If it is this person, change that account; if not, choose another login.
account-not-found = There is no such account where you manage people.
account-unknown-login = No account has the login { $login }.
account-own = This is your own account. Ask a manager of a unit above, or the administrator.
account-disabled = This account is disabled. Enable it first.
account-telephone = A telephone number has digits, spaces and the marks + - . / ( ), at most 40 characters.

## service/people/api_key

key-not-found = There is no such key where you manage accounts, or it was deleted.
key-invalid = The key is not in order and nothing was written.
key-two-of-the-name = There are two keys named { $name } at this unit that serve: an old one and its successor. Delete one first.
key-too-many = There are { $most } keys, which are all that there can be. Delete those that nobody uses.
key-unknown-unit = There is no unit { $unit } today. Give its id, or code: and its code (such as code:30388).
key-no-operation = A key must allow something. Name operations, such as read or get_rollup.
key-unknown-operation = There is no operation { $word }. Give an operationId, or read or submit.
key-operation-of-people = The operation { $word } is not for keys: programs manage no people, keys or sessions, and what is open to everybody needs no key.
key-operation-of-tenant = The operation { $operation } is about the whole system, and the key is for one unit. Leave the operation out, or let an administrator make a key without a unit.
key-last-day-past = The last day is past. Choose today or a later day.
key-last-day-late = A key serves for two years at most. Choose { $latest } or an earlier day.

## service/people/grant

grant-unknown-unit = There is no unit { $unit } today. Give its id, or code: and its code (such as code:30388).
grant-role-of-system = The role { $role } is for the whole system, not for a unit. Leave the unit out.
grant-role-needs-unit = The role { $role } needs a unit. Give one, such as { $code }@code:30388.
grant-over = This role is over: its last day is past. Choose today or a later day.
grant-too-many = An account has { $most } roles at most.
grant-twice = The role { $role } is given twice for the same unit on the same days. Leave one out.

## service/people/hand_over

hand-over-past = The day of handing over is past. Choose today or a later day.
hand-over-nothing = From this day on the account has no role to hand over. Choose an earlier day, or give roles to a new account.

## service/people/import

people-list-wrong-columns = Line { $line } does not have the columns login,name,telephone,role,unit_code.
people-list-empty = The list has no rows. Its columns are separated by commas, semicolons or tabs.
people-list-too-long = A list has { $most } rows at most. Divide it into several lists.
people-list-role = There is no role { $role }. Write reporter, approver, viewer or unit_admin.
people-list-two-names = The login { $login } stands above with another name or telephone number. Write the same on both lines, or another login.
people-list-unknown-unit = There is no unit with the code { $code } today. Write the code of a unit, as the list of units shows it.
people-list-no-unit = The role { $role } needs a unit. Write the code of the unit.

## service/people/invitation

invitation-unknown = The code or the organisation is wrong, or the code was used already or has expired. Check the code and the organisation. If both are right, ask the person who manages the accounts of your unit for a new code.

## service/people/me

me-gone = This account is not there any more. Sign in again.
me-wrong-password = The present password is wrong.

## service/people/operator

account-end-of-others = The account does not have the role { $role }, so it cannot end. It has { $roles }.
account-end-of-none = The account does not have the role { $role }, so it cannot end. It has no role.

## service/people/program

program-key-unreadable = This is not a whole key: letters are missing or wrong. Copy all of it, from thk_ to its end.
program-key-not-serving = This key is wrong, has expired or was deleted. Ask the manager of accounts of the unit for a new one.
program-outside-key = This key does not allow { $operation }, only { $operations }. Ask the manager of accounts of the unit for a key that allows { $operation } too.
program-not-for-programs = No key allows { $operation }: that is for people. Sign in with a login and a password for it.
program-wrong-key = The client_id or the key is wrong, or the key has expired or was deleted.

## service/people/session

session-not-found = You have no such session, or it has ended.

## service/people/credentials

credentials-wrong-login = The login holds a character that nobody sees. Type it instead of pasting it.
credentials-login-length = A login has 1 to 120 characters and no spaces.
credentials-password-length = A password has { $shortest } to { $longest } characters.
credentials-password-common = This password is among those that are guessed first. Choose another one, such as a few words that have nothing to do with each other.

## service/people/tenant

tenant-not-found = There is no tenant { $slug }. `tonghop tenant list` shows those there are.
tenant-invalid = The tenant is not in order and nothing was written.
tenant-invalid-slug = A slug has 2 to 63 lower-case letters, digits or hyphens, and begins with a letter.
tenant-taken = There is a tenant { $slug } already. Choose another slug.

## service/people/token

sign-in-tenant-required = There are several systems here. Say which one by its short name (tenant).
sign-in-wrong-refresh-token = Your session has expired or was prolonged elsewhere. Sign in with your password. (The refresh_token has served, has expired or is wrong.)
sign-in-wrong-password = The organisation, the login or the password is wrong. Check all three, and the Caps Lock key.

## service/report/completeness

completeness-unknown-list = The parameter of takes children, or level: and the code of a level, such as level:commune. It was { $of }.

## service/report/release/error

release-not-open = The period { $period } begins on { $from }. Send the report from that day on.
release-waits = Report { $number } waits to be received. Recall it before you send another one.
release-missing = The unit sent no report { $number } for this period. Look at the list of what it sent.
release-invalid =
    Nothing was changed: there { $count ->
        [one] is { $count } thing
       *[other] are { $count } things
    } to do first. See each in the list, then try again.

## service/report/series

series-no-range = From { $from } to { $to } is no range: both must be of one sort (such as 2024-01 and 2024-12, or two of the form's own windows), in order, and at most { $most } periods apart.

## service/report/table

report-table-unknown-rows = The parameter rows takes children (the units directly below), subtree (all units below), or level: and the code of a level, such as level:commune. It was { $rows }.
report-table-too-large = The table has { $rows } rows and { $columns } columns, more than { $most } figures. Choose fewer indicators, one level of units, or a smaller unit.

## service/report/table/view

report-table-title = { $form } – { $period } – { $unit }
report-table-title-of-periods = { $form } – { $first } to { $last } – { $unit }

## service/report/target

target-not-set = The unit was given nothing to reach of { $figure } in this period yet.

## service/submission/error

submission-missing = The unit has entered nothing for this period yet.
submission-does-not-submit = Units of the level { $level } do not submit { $form }. Choose a unit of a level that does: { $submitting }. An administrator of the whole system decides which levels submit.
submission-not-asked = { $unit } is not asked by { $form }, so nothing can be submitted for it. Choose a unit that is asked, or have the person who made the form ask this one too.
submission-covered-by-unit = { $unit } reports for all units below it, so this unit sends nothing for the period. Send your figures to { $unit }; { $who } can change that.
submission-not-open = It is not open yet: entry for { $period } begins on { $opens }. Enter it from that day on; if it is needed earlier, ask an administrator of the whole system, who sets the form's days.
submission-four-eyes = Who entered the values may not approve them on this form. Ask { $who } to do it: somebody other than you.
submission-named-twice = Item { $first } (counted from 0) is about the same submission. Put what both say into one item.
submission-busy = Too much is being submitted at once. Nothing was written; send it again in some seconds.
submission-invalid =
    Nothing was written: the submission has { $count ->
        [one] { $count } fault
       *[other] { $count } faults
    }. Correct each one listed and send it again.
submission-closed = It is closed: the deadline was { $deadline }, and this form takes nothing after it. Ask { $who } for more time (an extension).
submission-closed-to-giver = It is closed: the deadline was { $deadline }, and this form takes nothing after it. You may give this unit more time (an extension), or, if its paper came in time, enter the day on which it did (received_on).
deadline-day = { $day }
deadline-instant = { $time } on { $day }

## service/submission/import

value-list-twice = Row { $first } has this value already. Keep one of the two rows.
value-list-stale = The figures of this unit were changed after the sheet was made. Get the sheet anew, look at what is there now, and enter yours again.

## service/submission/import/csv

value-list-empty = The file has no values. Fill it, with the heading unit,indicator,option,value,qualifier in its first row, and send it again.
value-list-missing-columns = The heading lacks: { $columns }. Write the headings unit,indicator,option,value,qualifier into the first row.
value-list-unknown-columns = The list has no column { $columns }. Correct the heading, or take the column out; it may have unit, indicator, option, value, qualifier.
value-list-no-unit = The row names no unit. Enter the unit's code.
value-list-no-indicator = The row names no indicator. Enter its code, as the form's outline has it.
value-list-unit-unknown = There is no unit { $name } on { $day }. Check the code in the list of units.
value-list-unit-twin = There is no unit { $name }. If { $twin } is meant, the spreadsheet has dropped its zeros: format the column as text and write { $twin }.
value-list-row-too-wide = The row has a cell where the heading has none: { $text }. A number with a comma stands in quotation marks ("93,64"), or semicolons stand between the cells.
value-list-two-qualifiers = The value and the column say two different things about how sure it is. Leave one of them out.
value-list-qualifier = Write exact, at_least, at_most or estimate, or leave the cell empty.

## service/submission/import/sheet

value-list-computed = computed by a formula of the sheet, as it was last shown
value-list-not-computed = The cell of { $name } is a formula whose value the file does not have. Open the file in a spreadsheet program, save it, and send it again; or write the number.
value-list-long-number = The number in the cell of { $name } has more digits than a spreadsheet keeps. Format the cell as text, and write the number anew.
value-list-date = The cell of { $name } is a date or a time ({ $text }). Set its format to a number, and write the number anew.
value-list-no-number = The cell of { $name } shows { $text }, which is no number. Write the number.

## service/submission/together

together-refused =
    Nothing was written, of any unit: there { $count ->
        [one] is { $count } fault
       *[other] are { $count } faults
    }. Correct each one listed and send everything again.

## service/submission/extension

extension-not-given = The unit was given no more time for this period.
extension-invalid =
    Nothing was written: the extension has { $count ->
        [one] { $count } fault
       *[other] { $count } faults
    }.
extension-without-deadline = The form has no deadline for units of this level, so there is nothing to extend.
extension-not-later = The deadline is { $deadline } anyway. An extension goes by whole days: choose a later one.

## service/submission/sheet/error

sheet-nobody-asked = Neither { $unit } nor a unit below it submits { $form }. Choose another unit or another form.
sheet-too-many-rows = The sheet of { $unit } has more than { $most } rows. Get the sheets of the units below it.

## service/submission/sheet/layout

sheet-column-unit-code = Unit code
sheet-column-unit = Unit
sheet-column-figure-code = Figure code
sheet-column-section = Section
sheet-column-indicator = Indicator
sheet-column-option = Option
sheet-column-unit-of-measure = Unit of measure
sheet-column-previous = Period before
sheet-column-value = Value

## service/submission/sheet/read

sheet-fault-at-cell = Cell { $cell } (sheet { $sheet }): { $sentence }
sheet-other-form = This sheet was made for the form { $made_for }, not for { $form }. Get the sheet of the right form, and enter the values there.
sheet-other-period = This sheet was made for the period { $made_for }, not for { $period }. Get the sheet of the right period, and enter the values there.
sheet-no-headings = No sheet of the file has a row of headings with the columns { $columns }. Get the sheet anew, or write the names of these columns.
sheet-column-missing = The headings lack the column { $column }, or its name was changed. Write its name as it was.
sheet-unit-missing = The row has no unit code. Write it, or delete the row.
sheet-unknown-unit = No unit has the code { $text }. Check the unit code.
sheet-zeros-lost = No unit has the code { $text }, but one has { $code }: zeros at the beginning may have been lost. If this is the unit, make the cell a text and write { $code }.
sheet-figure-missing = The row has a value, and neither a figure code nor an indicator. Write the figure code, or delete the row.
sheet-unknown-figure = { $form } has no figure { $text }. Check the figure code.
sheet-ambiguous-figure = Several indicators are called { $text }. Write the figure code into the column of codes.
sheet-twice = { $figure } of this unit stands in the cell { $first } (sheet { $sheet }) already. Leave one of the two out.
sheet-merged = The cell is merged with another, so nobody knows to which row the value belongs. Unmerge the cells, and write the value into each row.

## service/submission/sheet/write

sheet-name = Entry
sheet-title = { $form } – { $period } – { $unit }
sheet-how-to-fill = Write into the column Value (yellow cells) only. You may write over 800, under 5, about 93,64. An empty cell leaves what is there; write clear to take a value out. Do not change the codes.
sheet-column-previous-period = { $heading } ({ $period })
sheet-cell-whole = Write a whole number, unit of measure: { $unit_of_measure }. Over, under or about may stand before it.
sheet-cell-decimals = Write a number with at most { $places } decimals, unit of measure: { $unit_of_measure }. Over, under or about may stand before it.

## service/submission/subtree_reporting

subtree-reporting-not-arranged = The unit reports for itself only. On this form it was never arranged that it reports for all units below it.
subtree-reporting-invalid =
    Nothing was written: there { $count ->
        [one] is { $count } fault
       *[other] are { $count } faults
    } in the periods.
subtree-reporting-backwards = The last period ends on { $last }, before the first one begins on { $first }. Choose a later last period, or leave it out.
subtree-reporting-covered = { $above } reports for all units below it on some of these days, and this unit is one of them. Choose other periods, or end that first.
subtree-reporting-covers = { $below } is below this unit and reports for all units below it on some of these days. Choose other periods, or end that first.
subtree-reporting-already-reported = Nothing was changed: for { $period } { $count ->
        [one] the report of { $units } counts already
       *[other] { $count } reports count already, those of { $units } among them
    }. Return or withdraw what counts, or begin with a later period.
subtree-reporting-already-for-all = Nothing was changed: for { $period } the report of { $unit } for all units below it counts. Return or withdraw it first, or leave the period among those for which it reports.

## service/submission/step

submission-received-later = { $day } is yet to come: today is { $today }. Enter the day on which the paper came in.
submission-received-before-opening = On { $day } nothing could come in yet: entry for { $period } began on { $opens }. Correct the day.
submission-received-of-draft = A draft has not been sent, so it has not come in yet. Leave the day out now, and enter it when you submit.

## service/submission/view

submission-empty = It was taken, but holds no value: the unit counts as having submitted, with every figure blank. Mark it as "nothing happened" or enter 0 where there is nothing to report; if it was sent by mistake, enter the values and submit again.
submission-returned-unchanged = This is the same as before it was returned or reopened. The reason was: “{ $reason }”. If it is not corrected yet, correct it and send it again; if it is right, nothing needs to be done.
submission-period-running = This was sent on { $sent }, while the period was running (until the end of { $closes }). If anything has changed since, send it again.

## spreadsheet/fault

spreadsheet-unreadable = The file is no spreadsheet, or it is damaged. Open it in a spreadsheet program, save it as .xlsx (Save As), and send that.
spreadsheet-old-or-locked = The file has a password, or is in the old format of Excel (.xls). Take the password off, save it as .xlsx (Save As), and send that.
spreadsheet-open-document = The file is an OpenDocument spreadsheet (.ods). Save it as .xlsx (Save As), and send that.
spreadsheet-encoding = Line { $line } is not UTF-8: the file may have been saved in Windows-1258 or another old encoding, so that Vietnamese letters cannot be read for certain. Open it, choose Save As with the type “CSV UTF-8”, and send that.
spreadsheet-too-large = The file is too large once it is unpacked. Delete sheets and rows that are not needed, or divide it into several files, and send those.
spreadsheet-cell-too-long = The file has a cell or a line that is too long. Check its quotation marks and its cells, and send it again.
spreadsheet-too-many-cells = A sheet has more than { $most } cells with something in them. Divide it into several files, and send those.
spreadsheet-too-many-columns = A row has more than { $most } columns. Delete the columns that are not needed, and send it again.
spreadsheet-too-many-rows = The file has more than { $most } rows. Delete the rows that are not needed, or divide it into several files, and send those.
spreadsheet-several-sheets = The sheets { $first } and { $second } both have cells, so nobody knows which one is the list. Delete or hide the sheet that is not the list, and send the file again.
spreadsheet-merged = Cells are merged from { $place } on, so nobody knows for which rows they hold. Unmerge the cells, write the value into each row, and send the file again.
spreadsheet-no-value = The cell { $place } shows an error, or a formula without a value. Write its value there, and send the file again.

## store/error

store-unavailable = The service cannot take this now. Nothing was written; try again in some seconds.
problem-too-many-requests = There are too many requests at once. Try again in some seconds.
read-too-long = This report takes more time than one may. Ask for fewer periods, for a smaller unit, or without its children.
storage-full = The service has no room left to write to. Nothing was written; tell its operator and send it again later.
store-outcome-unknown = It is not known whether this was written. Load it again to see, or send the same again. Programs send it with the same Idempotency-Key.
store-tenant-gone = The system of this account is not there any more. Sign in again.
store-signed-out = This account is disabled, or this session was ended. Sign in again, or ask the person who manages the accounts of your unit.
