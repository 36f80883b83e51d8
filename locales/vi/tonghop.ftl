### Every sentence that the server says to people, in Vietnamese. Keys say what happened; arguments
### are described by their names.

## error

fault-at-line = Dòng { $line }: { $sentence }
fault-in-cell = Dòng { $line }, cột { $column }: { $sentence }
error-internal = Hệ thống gặp lỗi.

## authn/token

token-expired = Phiên đăng nhập đã hết hạn. Hãy đăng nhập lại. Chương trình lấy mã mới bằng refresh_token.
token-refused = Phiên đăng nhập không hợp lệ. Hãy đăng nhập lại.
internal-with-request-id = Hệ thống gặp lỗi. Hãy báo người quản trị kèm mã yêu cầu (request_id).

## authz/denied

action-read-units = xem đơn vị này
action-read-levels = xem danh mục
action-reorganise = sắp xếp đơn vị hành chính
action-manage-accounts = quản lý tài khoản ở đây
action-appoint-managers = giao việc quản lý đơn vị ở đây
action-create-units = thêm đơn vị ở đây
action-change-levels = thay đổi các cấp
action-change-catalogue = thay đổi danh mục
action-change-forms = lập hoặc sửa mẫu báo cáo này
action-change-submissions = nhập hoặc gửi số liệu cho đơn vị này
action-set-targets = giao chỉ tiêu cho đơn vị này
action-decide-submissions = duyệt, trả lại hay mở lại số liệu của đơn vị này
action-read-releases = xem báo cáo mà đơn vị này đã gửi lên
action-send-releases = gửi hay thu hồi báo cáo của đơn vị này
action-receive-releases = tiếp nhận hay trả lại báo cáo của đơn vị này
action-date-papers = ghi ngày nhận bản giấy của đơn vị này
action-give-extensions = gia hạn cho đơn vị này, hay rút gia hạn
action-arrange-subtree-reporting = cho đơn vị này báo cáo gộp cho mọi đơn vị cấp dưới, hay thôi báo cáo gộp
access-this-unit = đơn vị này
access-owning-unit = đơn vị chủ quản của mẫu (owner)
access-role = vai trò { $role }
access-any-role = một vai trò (vai trò nào cũng được)
access-holder = người có { $role } { $place }
access-on-unit = tại { $unit } hoặc đơn vị cấp trên
access-on-root = tại { $unit }
access-above-unit = tại đơn vị cấp trên của { $unit }
access-on-system = cho toàn hệ thống
access-giver-of-unit = người quản lý tài khoản của { $unit }
access-giver-above = người quản lý tài khoản của đơn vị cấp trên của { $unit }
access-giver-of-system = người quản trị hệ thống
access-no-role = Bạn không được { $action }: việc này cần { $role } { $place }, mà bạn chưa có. Hãy nhờ người có vai trò đó làm việc này, hoặc nhờ { $giver } giao vai trò đó cho bạn.
access-other-units = Bạn không được { $action }: vai trò của bạn chỉ cho phép việc này với các đơn vị khác. Ở đây cần { $role } { $place }. Hãy nhờ { $giver } giao vai trò đó cho bạn.
access-own-unit = Bạn không được { $action }: vai trò của bạn là ở chính đơn vị này và chỉ cho phép việc này với các đơn vị cấp dưới. Ở đây cần { $role } { $place }. Hãy nhờ người có vai trò đó làm việc này, hoặc nhờ { $giver } giao vai trò đó cho bạn.
access-allowed-from = Từ ngày { $from } bạn mới được { $action }. Hãy chọn ngày từ đó trở đi, hoặc nhờ { $giver } giao cho bạn vai trò vào những ngày khác.
access-allowed-between = Bạn chỉ được { $action } từ ngày { $from } đến ngày { $to }. Hãy chọn ngày trong khoảng đó, hoặc nhờ { $giver } giao cho bạn vai trò vào những ngày khác.

## authz/policy

role-reporter = người nhập số liệu ({ $code })
role-approver = người duyệt ({ $code })
role-viewer = người xem ({ $code })
role-unit-admin = người quản lý đơn vị ({ $code })
role-tenant-admin = người quản trị hệ thống ({ $code })

## command/report

report-above = Trực thuộc: { $names }
report-last-day = Đơn vị này có đến ngày { $day }
report-period = Kỳ: { $period }, từ ngày { $from } đến ngày { $to }
report-due = Hạn gửi: { $deadlines }
report-received = Đã nhận { $submitted }/{ $expected } báo cáo: { $late } gửi muộn, { $approved } đã duyệt.
report-missing = Còn thiếu { $missing }, trong đó { $overdue } quá hạn.
report-silent = Chưa gửi: { $names }.
report-silent-among-others = Chưa gửi: { $names } và { $count } đơn vị khác.
report-column-number = TT
report-column-name = Chỉ tiêu
report-column-unit-of-measure = Đơn vị tính
report-column-plan = Kế hoạch
report-column-value = Thực hiện
report-column-share = Đạt kế hoạch
report-column-previous = Cùng kỳ năm trước
report-column-reported = Số đơn vị có số liệu
report-received-from-below = Nhận từ đơn vị cấp dưới
report-note-reported = Số đơn vị có số liệu: bao nhiêu đơn vị đã có số liệu, trên bao nhiêu đơn vị phải báo.
report-note-previous = Cùng kỳ năm trước: theo địa giới của kỳ này, chỉ gồm những gì đã báo năm trước.
report-note-taken = { $indicators }: lấy từ mẫu { $form }, số đơn vị đếm theo từng kỳ của mẫu đó.
report-note-undivided = Số liệu có cả phần của đơn vị cũ chưa chia được cho các đơn vị mới: { $names }. Báo cáo của đơn vị cũ cũng tính vào số đã nhận, nên số đã nhận và số còn thiếu cộng lại có thể lớn hơn số phải báo.
report-note-undivided-elsewhere = Số liệu chưa có phần của đơn vị cũ chưa chia được cho các đơn vị mới: { $names }. Phần đó được tính ở cấp trên hoặc xem riêng theo mã đơn vị cũ.
report-at-least = trên { $value }
report-at-most = dưới { $value }
report-estimate = ước { $value }
report-units-then = Theo đơn vị lúc đó
report-units-of-day = Theo đơn vị ngày { $day }

## document/table

table-document-unit = Đơn vị
table-document-code = Mã đơn vị
table-document-expected = Phải báo cáo
table-document-submitted = Đã gửi
table-document-approved = Đã duyệt
table-document-late = Gửi muộn
table-document-previous = cùng kỳ, { $period }
table-document-previous-without-period = cùng kỳ
table-document-target = kế hoạch, { $period }
table-document-at-least = trên
table-document-at-most = dưới
table-document-estimate = ước

## document/table/csv

table-document-row = Dòng
table-document-row-of-unit = đơn vị
table-document-row-not-divided = phần chưa chia
table-document-row-of-total = toàn đơn vị
table-document-kind = Loại
table-document-level = Mã cấp
table-document-heading = { $name }, { $measure } ({ $unit_of_measure })
table-document-qualifier = Mức độ: { $heading }

## document/table/xlsx

table-document-sheet = Bảng tổng hợp
table-document-not-divided = { $unit } (phần chưa chia)
table-document-total = Cộng: { $unit }
table-document-total-not-sum = { $unit } (dòng này không phải là tổng các dòng trên)
table-document-stage-submitted = Số liệu đã gửi, theo đơn vị hành chính ngày { $day }.
table-document-stage-approved = Số liệu đã duyệt, theo đơn vị hành chính ngày { $day }.
table-document-long-numbers = Số có hơn 15 chữ số được ghi dưới dạng văn bản, vì bảng tính không giữ được hết các chữ số.

## http/allowance

allowance-too-many-requests = Tài khoản này, hoặc đơn vị tổ chức của bạn, gửi quá nhiều yêu cầu cùng lúc. Hãy chờ một chút rồi thử lại.
allowance-too-many-bytes = Hôm nay tài khoản này, hoặc đơn vị tổ chức của bạn, đã gửi quá nhiều dữ liệu. Hãy thử lại sau { $minutes } phút.

## http/approval

approval-count = Mỗi lần hãy gửi từ 1 đến { $most } báo cáo để duyệt.
approval-not-seen = Hãy xem từng báo cáo trước khi duyệt. Chương trình ghi ETag đã đọc vào if_match, trong dấu nháy kép; ở đây không nhận *.

## http/batch

batch-count = Mỗi lần hãy gửi từ 1 đến { $most } báo cáo.
batch-both-conditions = Mỗi mục hoặc tạo mới (create), hoặc thay số liệu đã có (if_match). Hãy bỏ một trong hai.
batch-malformed-etag = Ghi ETag đã đọc vào if_match, trong dấu nháy kép, hoặc ghi * nếu trạng thái nào cũng được.

## http/change

change-last-event-id = Last-Event-ID là id của một sự kiện trong luồng này: một số nguyên.

## http/contract

contract-method-not-allowed = Địa chỉ này không nhận { $method }, chỉ nhận { $allowed }.
contract-unknown-parameter = Không có tham số { $name }. Các tham số được nhận: { $allowed }.
contract-unknown-parameter-none-like-it = Không có tham số { $name }.
contract-wrong-content-type = Nội dung phải có Content-Type là: { $taken }.
contract-query-pairs = Các tham số sau dấu ? không đọc được.
contract-parameter-twice = Tham số { $name } chỉ được gửi một lần.
contract-parameter-with-nul = Tham số { $name } có ký tự NUL.
contract-missing-parameter = Thiếu tham số { $name }.
contract-wrong-query = Các tham số không hợp lệ.

## http/event_stream

event-stream-too-many = Đang có quá nhiều luồng theo dõi thay đổi cùng lúc. Hãy đóng luồng không còn dùng, hoặc thử lại sau ít giây.

## http/front_page

front-page-title = Tonghop đang hoạt động
front-page-text = Máy chủ này nhận báo cáo và chưa có trang cho người dùng. Nếu bạn đến đây từ đường dẫn mời: hãy nhập mã ở cuối đường dẫn vào chương trình mà bạn dùng để báo cáo, rồi đặt mật khẩu ở đó. Nếu chưa có chương trình, hãy hỏi người đã gửi đường dẫn cho bạn.

## http/parameter

shape-text = Tham số { $name } là một chuỗi dài từ { $least } đến { $most } ký tự.
shape-day = Tham số { $name } là một ngày viết theo mẫu năm-tháng-ngày (ví dụ 2025-07-01), từ 1900-01-01 đến 2199-12-31.
shape-yes-or-no = Tham số { $name } là true hoặc false.
shape-one-of = Tham số { $name } là một trong: { $options }.
shape-whole = Tham số { $name } là số nguyên từ { $minimum } đến { $maximum }.

## http/problem

problem-not-signed-in = Bạn chưa đăng nhập. Hãy đăng nhập rồi làm lại. Chương trình gửi Authorization: Bearer kèm mã truy cập.
problem-not-allowed = Bạn không có quyền làm việc này.
problem-route-not-found = Không có địa chỉ này. Xem các địa chỉ ở /docs.
problem-method-not-allowed = Địa chỉ này không nhận phương thức đó.
problem-body-too-large = Nội dung gửi lên quá lớn.
problem-too-slow = Nội dung gửi lên đến quá chậm. Hãy gửi lại khi đường truyền tốt hơn.
problem-overloaded = Đang có quá nhiều yêu cầu cùng lúc. Chưa có gì được ghi; hãy thử lại sau ít giây.
problem-unsupported-media-type = Kiểu nội dung gửi lên không được hỗ trợ.
problem-unavailable = Dịch vụ tạm thời chưa phục vụ được. Hãy thử lại sau vài giây.
problem-internal = Có lỗi ở phía máy chủ. Hãy báo người quản trị kèm số yêu cầu.
problem-malformed = Yêu cầu không đọc được.
kind-malformed = Yêu cầu sai cách viết
kind-sign-in-failed = Đăng nhập không thành công
kind-unauthenticated = Chưa đăng nhập
kind-forbidden = Không có quyền
kind-not-found = Không tìm thấy
kind-method-not-allowed = Phương thức không được nhận
kind-conflict = Không hợp với trạng thái hiện có
kind-too-large = Nội dung quá lớn
kind-unsupported-media-type = Kiểu nội dung không được hỗ trợ
kind-invalid = Nội dung không hợp lệ
kind-stale = Nội dung đã thay đổi
kind-condition-required = Thiếu điều kiện
kind-too-slow = Yêu cầu đến quá chậm
kind-too-many-requests = Quá nhiều yêu cầu
kind-internal = Lỗi máy chủ
kind-unavailable = Tạm thời chưa phục vụ được

## http/table

table-columns = Hãy chọn cột của bảng: period (một kỳ, nhiều chỉ tiêu), hoặc cả from, to và indicator (một chỉ tiêu, nhiều kỳ). Không dùng lẫn hai cách.

## http/token

token-unknown-grant-type = Không có grant_type { $other }. Dùng password, refresh_token hoặc client_credentials.
token-client-twice = Hãy gửi khóa trong tiêu đề Authorization hoặc trong biểu mẫu, không gửi cả hai nơi.
token-missing = Thiếu { $name }.
token-field-missing = Thiếu thông tin đăng nhập.
token-too-many-sign-ins = Có quá nhiều người đang đăng nhập. Hãy thử lại sau ít giây.

## http/violation

json-type-null = null
json-type-boolean = true hoặc false
json-type-integer = số nguyên
json-type-number = số
json-type-string = chuỗi ký tự
json-type-array = danh sách
json-type-object = đối tượng
contract-unknown-field = Không có trường { $field }. Các trường được nhận: { $allowed }.
contract-unknown-field-none-like-it = Không có trường { $field }.
contract-missing-field = Thiếu trường { $field }.
contract-wrong-type = Giá trị phải là { $words }.
contract-not-an-option = Giá trị phải là một trong: { $options }.
contract-no-day = Ngày phải viết theo mẫu năm-tháng-ngày (ví dụ 2025-07-01), từ 1900-01-01 đến 2199-12-31.
contract-too-small = Giá trị không được nhỏ hơn { $limit }.
contract-too-large = Giá trị không được lớn hơn { $limit }.
contract-not-as-described = Giá trị không đúng như tài liệu mô tả. Xem /docs.

## http/request/body

body-unexpected-body = Yêu cầu này không có nội dung. Hãy bỏ phần nội dung đi.
body-wrong-charset = Nội dung phải ở bảng mã utf-8.
body-broken-off = Nội dung gửi lên bị ngắt giữa chừng hoặc nén sai.

## http/request/condition

condition-tag-for-a-change = Khi thay đổi, If-None-Match chỉ nhận *. Hãy dùng If-Match kèm ETag đã đọc.
condition-both = Chỉ gửi một trong hai: If-Match hoặc If-None-Match.
condition-malformed-tags = ETag phải ở trong dấu nháy kép, cách nhau bằng dấu phẩy, hoặc là *.

## http/request/form

fields-unreadable = Các trường gửi lên không đúng dạng.

## http/request/header

header-no-text = Tiêu đề { $name } có ký tự không phải ASCII.

## http/request/idempotency

idempotency-unquoted-key = Idempotency-Key phải có từ 1 đến { $longest_key } ký tự ASCII in được, không có dấu " và \.

## http/request/json

json-too-many-elements = Nội dung có quá nhiều phần tử: nhiều nhất { $most }. Hãy chia thành nhiều lần gửi.
json-wrong-body = Nội dung không đúng như mô tả của API. Xem từng lỗi trong errors.
json-empty-body = Yêu cầu phải có nội dung JSON.
json-grouped-number = Số { $number } ở dòng { $line } có dấu ngăn cách hàng nghìn. Hãy viết liền: { $digits }.
json-broken-off = Nội dung JSON bị cắt ngang ở dòng { $line }, cột { $column }. Hãy gửi lại cho đủ.
json-malformed = Nội dung không phải JSON đúng ở dòng { $line }, cột { $column }.
json-field-twice = Trường { $field } có hai lần. Hãy bỏ bớt một.
json-value-unreadable = Giá trị không đúng dạng; xem mô tả ở /docs.

## http/request/limit

limit-body-too-large = Nội dung gửi lên quá lớn: nhiều nhất { $limit } byte. Hãy rút gọn phần thuyết minh, hoặc chia tệp thành nhiều phần.

## http/request/packing

body-wrong-encoding = Content-Encoding chỉ nhận gzip, hoặc không nén.

## http/request/page

page-limit = limit là số từ 1 đến { $most }.

## http/request/query

query-unreadable = Có tham số không đúng dạng; xem các tham số ở /docs.
query-parameter-unreadable = Tham số { $name } không đúng dạng; xem các giá trị được nhận ở /docs.

## http/request/text

text-too-many-lines = Tệp có quá nhiều dòng: nhiều nhất { $most_lines }. Hãy chia tệp thành nhiều phần.
text-not-utf8 = Tệp không phải UTF-8 (dòng { $line }). Hãy lưu lại dạng CSV UTF-8.

## sentence/formula

formula-too-long = biểu thức dài { $bytes } byte, quá dài (tối đa { $max_bytes })
formula-too-deep = vị trí { $position }: ngoặc lồng nhau quá { $max_nesting } lớp
formula-too-many-values = vị trí { $position }: quá { $max_values } số, chỉ tiêu và hàm
formula-unexpected-character = vị trí { $position }: ký tự { $found } không dùng được ở đây
formula-unexpected = vị trí { $position }: cần { $expected }, lại gặp { $found }
formula-unexpected-end = vị trí { $position }: biểu thức hết trong khi còn cần { $expected }
formula-invalid-number = vị trí { $position }: { $found } không phải là số như 100 hoặc 0.5
formula-invalid-indicator = vị trí { $position }: { $found } không phải mã chỉ tiêu
formula-invalid-option = vị trí { $position }: { $found } không phải mã phân tổ
formula-unknown-function = vị trí { $position }: không có hàm { $found }
formula-wrong-argument-count = vị trí { $position }: hàm { $function } không nhận { $count } giá trị
formula-comparison-only = vị trí { $position }: { $function } chỉ dùng được trong quy tắc so sánh
formula-expected-value = một giá trị
formula-expected-indicator = một chỉ tiêu
formula-expected-option = một phân tổ
formula-expected-operator = một phép tính
formula-expected-comparison-sign = một dấu so sánh (<= < >= > = !=)
formula-expected-closing-bracket = dấu ]
formula-expected-closing-parenthesis = dấu )

## sentence/naming

days-from = từ { $from }
days-from-to = từ { $from } đến { $to }
list-or = { $one } hoặc { $other }
list-and = { $one }; { $other }

## sentence/period

period-week = tuần { $week }/{ $year }
period-month = tháng { $month }/{ $year }
period-quarter = quý { $quarter }/{ $year }
period-first-half = 6 tháng đầu năm { $year }
period-second-half = 6 tháng cuối năm { $year }
period-nine-months = 9 tháng đầu năm { $year }
period-year = năm { $year }
period-range = { $first } – { $last }

## sentence/plan

plan-no-unit = Đến bước này không có đơn vị { $reference } (theo bản đồ của ngày có hiệu lực và các bước trước).
plan-two-units = Đến bước này có hai đơn vị cùng mang { $reference }. Hãy ghi mã định danh của đơn vị.
plan-into-itself = { $name } không thể nhập vào chính mình. Hãy ghi đơn vị được nhập vào.
plan-named-twice = { $name } được ghi hai lần trong bước này. Hãy bỏ một chỗ.
plan-divided-before = { $name } đã được chia ở một bước trước. Hãy ghi tất cả các phần trong một bước.
plan-child-not-of-source = { $child } không trực thuộc { $source }. Hãy bỏ dòng này.
plan-part-unknown = { $part } không phải là một phần của đơn vị được chia. Hãy chọn một trong các phần.
plan-child-unassigned = { $name } chưa được giao về phần nào. Hãy ghi đơn vị đó vào children.
plan-ends-unborn = Đơn vị này vừa được lập trong chính văn bản này. Hãy ghi thẳng đơn vị cuối cùng.
plan-changed-later = { $name } đã có thay đổi ngày { $day }, sau ngày có hiệu lực. Hãy hủy lần sắp xếp sau trước đã.
plan-stands-from-this-day = { $name } mới có từ chính ngày { $day }. Hãy hủy lần sắp xếp đã lập ra nó, hoặc chọn ngày sau.
plan-level-too-low = { $child } trực thuộc đơn vị này nên cấp { $level } không đủ cao. Hãy chuyển { $child } trước.
plan-no-such-level = Từ ngày { $day } không có cấp { $level }. Các cấp có là: { $levels }.
plan-parent-ended = { $name } không còn nữa nên không thể là đơn vị cấp trên. Hãy chọn đơn vị khác.
plan-parent-not-above = Đơn vị cấp { $level } không thể trực thuộc { $name } (cấp { $above }). Hãy chọn đơn vị cấp cao hơn.
plan-parent-ends-later = { $name } bị giải thể về sau. Hãy hủy lần sắp xếp sau trước đã.
plan-code-taken = Mã { $code } là của đơn vị { $name }. Một mã chỉ thuộc về một đơn vị tại một thời điểm: hãy chọn mã khác, hoặc đổi mã của { $name } trước.
plan-units-below = { $name } còn { $count } đơn vị trực thuộc ({ $names }). Hãy chuyển hoặc nhập các đơn vị đó.
plan-child-moved-later = { $child } được đưa vào { $name } ở một lần sắp xếp sau. Hãy hủy lần đó trước đã.
plan-level-not-standing = Đến hết ngày { $day } không có cấp { $level }. Các cấp có là: { $levels }.
plan-units-at-level = Còn { $count } đơn vị thuộc cấp { $level } ({ $names }). Hãy nhập, chuyển cấp hoặc giải thể các đơn vị đó.

## sentence/quantity

quantity-empty = Chưa có giá trị của { $name }. Hãy nhập một số, hoặc bỏ dòng này nếu chưa có số liệu.
quantity-grouped = Giá trị của { $name } có dấu ngăn cách hàng nghìn ({ $text }). Hãy viết liền: { $digits }.
quantity-decimal-comma = Giá trị của { $name } có dấu phẩy ({ $text }). Dấu thập phân là dấu chấm ({ $pointed }); số hàng nghìn viết liền, không có dấu.
quantity-no-number = Giá trị của { $name } không phải là số ({ $text }). Hãy chỉ viết số, không kèm đơn vị tính, viết liền hàng nghìn, dấu thập phân là dấu chấm. Trên, dưới, ước thì ghi ở mức độ số liệu (qualifier: at_least, at_most, estimate).
quantity-out-of-range = Giá trị của { $name } quá lớn. Hãy kiểm tra số chữ số và đơn vị tính.
quantity-too-many-decimals = { $name } có nhiều nhất { $decimals } chữ số thập phân, còn { $text } có nhiều hơn. Hãy nhập lại; số liệu không được làm tròn giúp.
quantity-whole-with-point = { $name } là số nguyên, còn { $text } có dấu chấm. Nếu là hàng nghìn, hãy viết liền: { $digits }; số liệu không được làm tròn giúp.
quantity-whole-with-decimals = { $name } là số nguyên, còn { $text } có chữ số thập phân. Hãy nhập số nguyên; số liệu không được làm tròn giúp.

## sentence/reorganisation

reorganisation-nothing-listed = Danh sách trống. Hãy ghi ít nhất một mục.
reorganisation-not-after-beginning = Ngày có hiệu lực phải sau ngày { $first }.
reorganisation-too-few-parts = Chia một đơn vị phải có ít nhất hai phần. Nếu chỉ có một, hãy dùng bước nhập (merge).
reorganisation-shares-not-whole = Tỷ lệ của các phần phải có đủ và cộng lại bằng 1, hoặc không phần nào có tỷ lệ.
reorganisation-no-share = Tỷ lệ là phân số lớn hơn 0 và không quá 1, ví dụ 7/10.
reorganisation-basis-missing = Hãy ghi tỷ lệ được tính theo gì, ví dụ dân số.
reorganisation-no-reference = { $name } không phải tên gọi một đơn vị. Hãy ghi mã định danh, hoặc code: và mã đơn vị (ví dụ code:30388).
reorganisation-no-level = Không có cấp { $name }. Hãy ghi mã của cấp, ví dụ commune (danh sách ở /v1/levels).

## sentence/release

release-sent-already = Bản báo cáo này đã gửi và đang chờ tiếp nhận. Hãy tiếp nhận, trả lại hoặc thu hồi.
release-received-already = Bản báo cáo này đã được cấp trên tiếp nhận. Nếu có thay đổi, hãy gửi một bản mới để đính chính.
release-received-by-you = Bản báo cáo này đã được tiếp nhận nên không tiếp nhận lại hay trả lại được nữa. Nếu có chỗ chưa đúng, hãy đề nghị đơn vị gửi một bản mới để đính chính.
release-returned-already = Bản báo cáo này đã bị trả lại. Hãy sửa rồi gửi một bản mới.
release-returned-by-you = Bản báo cáo này đã được trả lại. Hãy chờ đơn vị sửa rồi gửi một bản mới.
release-recalled-already = Bản báo cáo này đã bị thu hồi. Hãy gửi một bản mới.
release-recalled-below = Bản báo cáo này đã bị thu hồi. Hãy chờ bản mới của đơn vị.
release-lack-own = { $name } chưa gửi đủ số liệu của chính mình cho kỳ này (còn thiếu { $missing } trên { $expected }). Hãy nhập và gửi số liệu đó trước, rồi mới gửi báo cáo lên; nếu thật sự không có, ghi đơn vị này vào phần chấp nhận (accept) kèm lý do.
release-lack-own-taken = { $name } chưa gửi đủ số liệu của chính mình theo mẫu { $form } mà báo cáo này lấy số liệu (còn thiếu { $missing } trên { $expected }). Hãy nhập và gửi theo mẫu đó trước, rồi mới gửi báo cáo lên; nếu thật sự không có, ghi đơn vị này vào phần chấp nhận (accept) kèm lý do.
release-lack-missing = { $name } còn thiếu { $missing } trên { $expected } báo cáo phải có. Hãy đôn đốc đơn vị gửi (đã bị trả lại thì sửa rồi gửi lại), hoặc ghi đơn vị này vào phần chấp nhận (accept) kèm lý do.
release-lack-unapproved = { $name } còn { $unapproved } báo cáo chưa duyệt. Hãy duyệt, hoặc ghi đơn vị này vào phần chấp nhận (accept) kèm lý do.
release-lack-missing-taken = { $name } còn thiếu { $missing } trên { $expected } báo cáo phải có của mẫu { $form } mà báo cáo này lấy số liệu. Hãy đôn đốc đơn vị gửi theo mẫu đó, hoặc ghi đơn vị này vào phần chấp nhận (accept) kèm lý do.
release-lack-unapproved-taken = { $name } còn { $unapproved } báo cáo chưa duyệt của mẫu { $form } mà báo cáo này lấy số liệu. Hãy duyệt ở mẫu đó, hoặc ghi đơn vị này vào phần chấp nhận (accept) kèm lý do.
release-lack-not-sent = { $name } chưa gửi bản báo cáo của mình. Hãy đôn đốc đơn vị gửi, hoặc ghi đơn vị này vào phần chấp nhận (accept) kèm lý do.
release-lack-not-received = Bản báo cáo của { $name } đã gửi mà chưa được tiếp nhận. Hãy xem và tiếp nhận, hoặc ghi đơn vị này vào phần chấp nhận (accept) kèm lý do.
release-too-many-recipients = Nơi nhận có nhiều nhất { $most } dòng. Hãy bỏ bớt.
release-nothing-to-accept = { $name } không thiếu gì nên không cần chấp nhận. Hãy bỏ dòng này.
release-accepted-twice = { $name } được ghi hai lần. Hãy bỏ một dòng.
release-unknown-part = { $unit } không phải là { $sender }, cũng không phải là đơn vị trực thuộc. Hãy ghi đúng đơn vị bằng id, hoặc bằng code: và mã của đơn vị (như code:30388-01), hoặc bỏ dòng này.

## sentence/submission

submission-unknown-indicator = Mẫu { $form } không có chỉ tiêu { $name }. Hãy xem danh mục chỉ tiêu của mẫu.
submission-no-options = Chỉ tiêu { $indicator } không chia theo phân tổ, nên không có { $name }. Hãy nhập một tổng số.
submission-unknown-option = Chỉ tiêu { $indicator } không có phân tổ { $name }. Hãy dùng một trong: { $known }.
submission-derived = Chỉ tiêu { $indicator } do hệ thống tự tính. Hãy bỏ dòng này.
submission-from-form = Chỉ tiêu { $indicator } lấy từ mẫu { $form }. Hãy nhập ở mẫu đó và bỏ dòng này.
submission-not-collected-here = Chỉ tiêu { $indicator } không thu thập ở cấp { $level } (chỉ ở cấp: { $collecting }). Hãy bỏ dòng này.
submission-entered-twice = Chỉ tiêu { $figure } được nhập hai lần. Hãy bỏ một dòng.
submission-unknown-section = Mẫu { $form } không nhận phần lời văn ở mục { $name }. Các mục có lời văn: { $taking }.
submission-no-prose = Mẫu { $form } không nhận phần lời văn ở mục nào. Hãy bỏ phần của mục { $name }.
submission-section-twice = Mục { $section } có hai đoạn. Hãy gộp lại thành một.
submission-asked-no-more = Bản nháp có một chỉ tiêu mà mẫu không còn hỏi đơn vị này. Hãy lưu lại bản nháp.
submission-option-gone = Bản nháp có một phân tổ mà { $indicator } không còn. Hãy lưu lại bản nháp.
submission-option-missing = { $indicator } còn thiếu phân tổ { $option }. Hãy nhập (không có thì nhập 0).
submission-options-too-large = Tổng các phân tổ của { $indicator } quá lớn. Hãy kiểm tra lại.
submission-totals-differ = { $indicator }: các phân tổ ({ $options }) cộng lại là { $sum }, tổng số là { $known }. Hãy sửa cho khớp.
submission-total-missing = { $indicator } có phần trong đó nhưng thiếu tổng số. Hãy nhập tổng số.
submission-options-exceed-total = { $indicator }: phần trong đó ({ $sum }) lớn hơn tổng số ({ $total }). Hãy sửa lại.
submission-nil-without-flows = Mẫu { $form } không hỏi đơn vị này chỉ tiêu phát sinh nào, nên không báo "không phát sinh" được. Hãy bỏ dấu "không phát sinh" và nhập các số hiện có.
submission-required-missing = Thiếu chỉ tiêu bắt buộc { $indicator }. Hãy nhập (không có thì nhập 0).
submission-stock-missing = "Không phát sinh" không áp dụng cho số hiện có như { $indicator }. Hãy nhập số hiện có (không đổi thì nhập như kỳ trước).
value-below-minimum = { $name }: { $value } nhỏ hơn mức thấp nhất là { $least }. Hãy kiểm tra lại số và đơn vị tính.
value-above-maximum = { $name }: { $value } lớn hơn mức cao nhất là { $most }. Hãy kiểm tra lại số và đơn vị tính.
value-below-usual = { $name }: { $value } thấp hơn mức thường gặp (từ { $least }). Nếu số đúng thì không cần làm gì thêm; nếu sai, hãy sửa và gửi lại.
value-above-usual = { $name }: { $value } cao hơn mức thường gặp (đến { $most }). Nếu số đúng thì không cần làm gì thêm; nếu sai, hãy sửa và gửi lại.
value-jumped-down = { $name }: { $value } chưa bằng 1/{ $factor } mức trung bình của { $count } kỳ trước đã có số ({ $mean }). Nếu số đúng thì không cần làm gì thêm; nếu sai, hãy sửa và gửi lại.
value-jumped-up = { $name }: { $value } gấp hơn { $factor } lần mức trung bình của { $count } kỳ trước đã có số ({ $mean }). Nếu số đúng thì không cần làm gì thêm; nếu sai, hãy sửa và gửi lại.
value-removed = Lần gửi trước có { $figure } là { $was }, lần này không có. Nếu bỏ sót, hãy nhập lại rồi gửi; nếu đúng là không có thì không cần làm gì thêm.
wrong-status-reopen-to-change = Hãy đề nghị { $who } mở lại trước khi sửa.
wrong-status-reopen-to-withdraw = Hãy đề nghị { $who } mở lại trước khi rút.
wrong-status-approved-already = Không cần duyệt nữa; muốn trả lại thì mở lại (reopen) trước.
wrong-status-draft-not-submitted = Đơn vị có bản nháp chưa gửi; hãy chờ đơn vị gửi.
wrong-status-only-submitted = Chỉ duyệt hoặc trả lại được số liệu đã gửi. Hãy chờ đơn vị gửi lại.
wrong-status-submitted-already = Không cần gửi lại; muốn sửa thì nhập số liệu mới.
wrong-status-only-approved = Chỉ mở lại được số liệu đã duyệt.
wrong-status-withdrawn-already = Đã rút rồi; muốn gửi lại thì nhập số liệu.
wrong-status-returned-counts-nowhere = Số liệu bị trả lại không được tính nữa; hãy sửa rồi gửi lại.
wrong-status-draft-over-nothing = Đơn vị chưa có số liệu nào đang được tính cho kỳ này, nên không có gì để trở lại. Hãy sửa bản nháp, hoặc cứ để đó: bản nháp không được tính ở đâu cả.
wrong-status-no-draft = Không có bản nháp nào để bỏ. Muốn sửa số liệu đã gửi thì nhập số liệu mới; muốn lấy lại thì rút.
wrong-status-nothing-sent = Chưa gửi gì nên không có gì để lấy lại; cứ sửa hoặc bỏ bản nháp.
submission-wrong-status = Số liệu đang ở tình trạng «{ $status }». { $todo }
status-draft = bản nháp
status-submitted = đã gửi
status-approved = đã duyệt
status-returned = bị trả lại
status-withdrawn = đã rút
status-reopened = được mở lại

## sentence/text

text-empty = Chưa có nội dung. Hãy nhập nội dung.
text-no-reason = Chưa ghi lý do. Hãy ghi lý do.
text-too-long = Nội dung dài quá { $limit } ký tự. Hãy rút ngắn.
text-control = Nội dung có ký tự điều khiển không nhìn thấy được. Hãy gõ lại thay vì dán.
text-invisible = Tên có ký tự không nhìn thấy được (khoảng trắng không độ rộng, dấu đổi chiều chữ). Hãy gõ lại thay vì dán.

## sentence/unit

unit-invalid-code = Mã đơn vị gồm 1 đến 40 chữ cái không dấu, chữ số, dấu . _ hoặc -.

## sentence/written

written-empty = Ô của { $name } để trống. Hãy ghi một số.
written-no-number = Ô của { $name } ghi { $text }, không đọc được thành số. Hãy chỉ ghi số, như 1562410000 hoặc 93,64; trước số có thể có trên, dưới, ước.
written-ambiguous = Ô của { $name } ghi { $text }, có thể đọc là { $thousands } hoặc { $decimals }. Hãy viết liền không có dấu nếu là { $thousands }; nếu là { $decimals } thì viết đủ { $places } chữ số thập phân hoặc ghi bằng ô kiểu số.
written-ambiguous-whole = Ô của { $name } ghi { $text }, có thể đọc là { $thousands } hoặc { $decimals }. { $name } là số nguyên; nếu là { $thousands } thì hãy viết liền không có dấu.
written-percent = Ô của { $name } ghi theo phần trăm ({ $text }), còn đơn vị tính của chỉ tiêu này không phải là %. Hãy ghi số theo đúng đơn vị tính và đặt ô về kiểu số.
written-whole = { $name } là số nguyên, còn ô ghi { $text }, có chữ số thập phân. Hãy ghi số nguyên; số liệu không được làm tròn giúp.
written-too-many-decimals = { $name } có nhiều nhất { $decimals } chữ số thập phân, còn ô ghi { $text }. Hãy ghi lại; số liệu không được làm tròn giúp.
written-out-of-range = Số trong ô của { $name } quá lớn ({ $text }). Hãy kiểm tra số chữ số và đơn vị tính.
marks-none = các chữ số viết liền
marks-thousands = dấu { $thousands } ngăn cách hàng nghìn
marks-decimals = dấu { $decimals } là dấu thập phân
marks-both = dấu { $thousands } ngăn cách hàng nghìn, dấu { $decimals } là dấu thập phân
mark-point = chấm
mark-comma = phẩy
mark-space = cách

## service/application/condition

condition-required = Hãy tải nội dung đang có rồi sửa trên đó, để không xóa mất thay đổi của người khác. Chương trình gửi kèm If-Match với ETag đã đọc, hoặc If-None-Match: * khi tạo mới.
condition-not-seen = Hãy đọc bản hiện có trước, rồi mới làm việc này, để không quyết định trên một bản cũ. Chương trình gửi If-Match với ETag đã đọc.
condition-already-there = Đã có người tạo nội dung này trước. Hãy tải về, xem rồi sửa trên đó. Chương trình gửi kèm If-Match với ETag của nó.
condition-nothing-there = Ở đây chưa có gì để sửa. Hãy tạo mới. Chương trình gửi kèm If-None-Match: *.
condition-failed = Đã có người thay đổi nội dung này từ lần bạn đọc. Hãy tải lại, xem thay đổi rồi gửi lại. Chương trình gửi If-Match với ETag mới.

## service/application/idempotency

idempotency-reused = Lần gửi trước cùng khóa này có nội dung khác; lần này chưa ghi gì. Hãy gửi lại như một yêu cầu mới. Chương trình dùng Idempotency-Key mới.
idempotency-in-flight = Chính yêu cầu này đã gửi trước đó và đang được xử lý. Hãy chờ vài giây rồi gửi lại.

## service/application/locate

not-found-form = Không có mẫu báo cáo { $form }. Hãy chọn trong danh sách mẫu (/v1/forms).
not-found-period = Mẫu { $form }, áp dụng từ ngày { $since }, không có kỳ { $period }. Hãy chọn trong danh sách kỳ của mẫu ({ $list }).
not-found-period-of-form = Mẫu { $form } không có kỳ { $period }. Hãy chọn trong danh sách kỳ của mẫu ({ $list }).
not-found-base-period = Kỳ { $period } của mẫu { $form } được tổng hợp từ các kỳ ngắn hơn. Hãy chọn một trong các kỳ đó: { $bases }.
not-found-unit = Ngày { $day } không có đơn vị { $unit }. Hãy ghi mã định danh, hoặc code: và mã đơn vị (ví dụ code:30388).
not-found-not-yet = { $name } có từ ngày { $first_day }, ngày { $day } chưa có. Hãy chọn kỳ hoặc ngày về sau, hoặc đơn vị có trước đó.
not-found-ended = { $name } được giải thể sau ngày { $last_day }. Hãy chọn đơn vị hoặc kỳ khác. Nếu đơn vị chưa giải thể, hãy báo người quản trị hệ thống, là người giữ danh sách đơn vị.
not-found-ended-with-heirs = { $name } được sắp xếp sau ngày { $last_day }; hãy dùng đơn vị kế thừa: { $heirs }. Nếu đơn vị chưa sắp xếp, hãy báo người quản trị hệ thống, là người giữ danh sách đơn vị.
not-found-earlier-map = Số liệu đến ngày { $closing } không chuyển được về bản đồ cũ hơn của ngày { $day }. Hãy chọn ngày của bản đồ (as_of) từ ngày { $closing } trở đi.

## service/application/page

page-unknown-cursor = cursor không phải của danh sách này, hoặc danh sách đã thay đổi. Hãy đọc lại từ trang đầu.

## service/application/table

table-missing-columns = Dòng { $line } thiếu cột { $columns }. Dòng nào cũng phải có đủ các cột, ngăn cách bằng dấu phẩy, dấu chấm phẩy hoặc tab; ô có thể để trống.

## service/application/throttle

throttle-too-many-failures = Đã nhập sai quá nhiều lần. Hãy thử lại sau { $seconds } giây. Nếu quên mật khẩu, hãy xin mã mời mới từ người quản lý tài khoản của đơn vị.

## service/catalogue/form

form-invalid = Mẫu báo cáo có { $count } chỗ chưa đúng; chưa có gì được ghi.
fixed-form-part-window = Kỳ { $period } đã có số liệu hoặc báo cáo gửi lên nên không bỏ và không đổi ngày được. Hãy giữ kỳ đó trong danh sách kỳ riêng (windows) với các ngày như cũ; tên và hạn gửi (due_at) thì đổi được.
fixed-form-part = Kỳ { $period } đã có số liệu, kế hoạch giao hoặc báo cáo gửi lên nên không bỏ được { $gone }. Hãy lập phiên bản mới có hiệu lực (valid_from) sau kỳ đó.
form-owner-missing = Mẫu không ghi đơn vị chủ quản (owner) là mẫu của toàn hệ thống, chỉ người quản trị hệ thống lập được. Muốn lập mẫu cho đơn vị mình, hãy ghi thêm đơn vị đó ở owner, ví dụ { $example }.
form-invalid-code = Mã mẫu gồm các từ chữ thường không dấu, chữ số và dấu _, nối bằng dấu chấm.
form-jump-factor = Hệ số báo tăng giảm đột biến (`jump_factor`) là số nguyên từ { $least } đến { $most }; bỏ trống thì không cảnh báo.
form-deadline-too-late = Hạn gửi nhiều nhất là { $most } ngày làm việc sau ngày chốt số liệu. Hãy nhập số ngày ít hơn.
form-calendar-and-windows = Mẫu có lịch (calendar) và chu kỳ (frequency), hoặc có kỳ riêng (windows), không có cả hai. Hãy bỏ một bên.
form-periods-incomplete = Mẫu không có kỳ riêng (windows) thì phải có { $field }.
form-window-twice = Kỳ { $key } có hai lần. Hãy bỏ một hoặc đặt tên khác.
form-window-invalid-key = Khóa của kỳ gồm năm từ 1900 đến 2199, dấu gạch nối và tên từ 1 đến 24 chữ thường không dấu, chữ số, gạch nối, bắt đầu bằng chữ (ví dụ 2025-tet). Tên không được là w, q, h rồi đến số, vì dễ nhầm với tuần, quý, nửa năm.
form-window-outside-year = Không ngày nào của kỳ này thuộc năm { $year }. Hãy sửa năm trong khóa, hoặc sửa các ngày.
form-window-days-reversed = Ngày cuối ({ $to }) đứng trước ngày đầu ({ $from }). Hãy sửa một trong hai ngày.
form-window-before-version = Kỳ này kết thúc ngày { $to }, trước khi phiên bản có hiệu lực (valid_from, ngày { $day }). Hãy bỏ kỳ này, hoặc để nó trong phiên bản có hiệu lực sớm hơn.
form-invalid-due-at = Hạn gửi là một ngày (ví dụ 2025-02-10), hoặc ngày giờ kèm múi giờ (ví dụ 2025-02-10T17:00:00+07:00).
form-due-before-first-day = Hạn gửi đứng trước ngày đầu của kỳ ({ $from }), nên không ai gửi kịp. Hãy sửa hạn gửi (due_at).
form-level-twice = Cấp { $level } có hai lần. Hãy bỏ một.
form-level-without-duty = Cấp { $level } không gửi mẫu này và cũng không có cấp dưới nào gửi, nên không có gì để gửi theo hạn. Hãy bỏ cấp đó, hoặc thêm vào các cấp gửi (submitted_by).
form-level-does-not-submit = Cấp { $level } không gửi mẫu này. Hãy bỏ cấp đó, hoặc thêm vào các cấp gửi (submitted_by).
form-no-levels = Phải có ít nhất một cấp; để trống trường này nếu mọi cấp gửi đều thu thập.
form-unknown-level = Không có cấp { $level }. Hãy dùng một trong các cấp: { $levels }.
form-section-number = Số mục gồm chữ, số và dấu chấm (như II.2.1) và không trùng mục khác.
form-unknown-indicator = Danh mục không có chỉ tiêu { $name }. Hãy thêm chỉ tiêu trước.
form-takes-from-unknown-form = Không có mẫu { $name } để lấy số liệu. Hãy xem mã các mẫu trong danh mục.
form-takes-from-itself = Chỉ tiêu { $indicator } không lấy được từ chính mẫu này. Hãy chọn mẫu khác, hoặc để mẫu này tự thu thập.
form-takes-from-other-periods = Mẫu { $from } không có kỳ trùng ngày với mọi kỳ của mẫu này, nên không lấy được chỉ tiêu { $indicator } từ đó. Hãy chọn mẫu cùng lịch và có kỳ bằng hoặc ngắn hơn; kỳ riêng của một mẫu thì không lấy được.
form-takes-what-is-not-entered = Mẫu { $from } không có chỗ nhập chỉ tiêu { $indicator } để lấy. Hãy thêm chỉ tiêu vào mẫu đó trước, hoặc lấy từ mẫu nơi chỉ tiêu được nhập.
form-taken-is-not-entered = Số liệu lấy từ mẫu khác thì không nhập ở mẫu này. Hãy bỏ mục này, hoặc để mẫu này tự thu thập.
form-figure-needed = Mẫu { $form } đang lấy chỉ tiêu { $indicator } từ mẫu này, nên chỉ tiêu phải còn chỗ nhập và lịch, chu kỳ phải giữ cho khớp. Hãy sửa mẫu { $form } trước.
form-indicator-twice = Chỉ tiêu { $indicator } có hai chỗ trong đề cương. Hãy bỏ một chỗ.
form-rule-code = Mã quy tắc gồm chữ hoa không dấu, chữ số và dấu _, không trùng quy tắc khác hay cảnh báo sẵn có của hệ thống.
form-rule-unreadable = Quy tắc chưa đúng ({ $reason }). Ví dụ: fund.spent <= fund.raised.
form-operand-not-held = Dùng đến { $operand }, mà mẫu này không có. Hãy thêm chỉ tiêu đó vào đề cương.
form-formula-operand-not-held = Chỉ tiêu { $indicator } dùng đến { $operand }, mà mẫu này không có. Hãy thêm chỉ tiêu đó vào đề cương.
fixed-form-subtree-reporting = Có đơn vị được giao báo cáo gộp từ hoặc đến { $period }, nên kỳ này giữ nguyên các ngày. Hãy thôi báo cáo gộp trước, hoặc lập phiên bản mới có hiệu lực (valid_from) sau kỳ đó.
fixed-form-part-periods = lịch và chu kỳ
fixed-form-part-level = cấp gửi { $level }
fixed-form-part-recipient = đơn vị gửi { $unit }
fixed-form-part-indicator = chỉ tiêu { $indicator }
form-field-calendar = lịch (calendar)
form-field-frequency = chu kỳ (frequency)

## service/catalogue/form/asked

fixed-form-owner = Mẫu { $form } thuộc về { $owner }, không chuyển sang đơn vị khác được. Hãy ghi đúng đơn vị này ở owner, hoặc lập mẫu khác với mã khác.
fixed-form-no-owner = Mẫu { $form } là của toàn hệ thống, không đơn vị nào nhận về mình được. Hãy bỏ owner, hoặc lập mẫu khác với mã khác.
form-no-level-submits = Mẫu phải có ít nhất một cấp gửi (submitted_by), hoặc nêu tên các đơn vị gửi (recipients).
form-levels-and-recipients = Mẫu giao cho các cấp (submitted_by) hoặc cho từng đơn vị nêu tên (recipients), không cả hai. Hãy bỏ một.
form-no-recipients = Hãy nêu ít nhất một đơn vị gửi, hoặc bỏ trường này và ghi các cấp gửi (submitted_by).
form-too-many-recipients = Chỉ nêu tên được nhiều nhất { $most } đơn vị. Hãy giao theo cấp (submitted_by), hoặc chia thành nhiều mẫu.
form-unknown-unit = Ngày { $day } không có đơn vị { $unit }. Hãy ghi mã định danh, hoặc code: và mã đơn vị (ví dụ code:30388).
form-recipient-elsewhere = Ngày { $day }, trong { $owner } và các đơn vị cấp dưới không có đơn vị { $unit }. Mẫu của { $owner } chỉ giao được cho các đơn vị ở đó: hãy chọn một trong số đó.
form-recipient-twice = Đơn vị { $unit } có hai lần. Hãy bỏ một.

## service/catalogue/indicator

indicator-invalid = Chỉ tiêu có { $count } chỗ chưa đúng; chưa có gì được ghi.
indicator-not-found = Không có chỉ tiêu { $code }. Hãy chọn trong danh mục chỉ tiêu (/v1/indicators).
fixed-part-decimals = Số chữ số thập phân
fixed-part-unit-of-measure = Đơn vị tính
fixed-part-aggregation = Cách tổng hợp
fixed-part-breakdowns-named = Phân tổ
fixed-part-in-use = { $part } của chỉ tiêu không đổi được nữa vì đã có số liệu hoặc kế hoạch giao; số cũ sẽ sai nghĩa. Hãy lập chỉ tiêu mới.
indicator-code-form = Mã chỉ tiêu gồm các từ chữ thường không dấu, chữ số và dấu _, nối bằng dấu chấm, tối đa 100 ký tự.
indicator-decimals = Số chữ số thập phân là từ 0 đến 9.
indicator-formula-with-aggregation = Chỉ tiêu tính theo công thức thì không có cách tổng hợp (across_units, across_time) và phân tổ (breakdowns). Hãy bỏ các trường đó.
indicator-collected-incomplete = Chỉ tiêu được thu thập phải nói cách tổng hợp { $words } ({ $field }).
indicator-formula-with-bounds = Chỉ tiêu tính theo công thức không có { $field }. Hãy đặt giới hạn ở các chỉ tiêu được thu thập mà công thức dùng.
indicator-usual-range-empty = Mức thường gặp phải có from hoặc to.
indicator-bounds-reversed = Mức cao nhất không được nhỏ hơn mức thấp nhất.
indicator-formula-unreadable = Công thức chưa đúng ({ $reason }). Dùng + - * /, ngoặc đơn, số và mã chỉ tiêu.
indicator-no-options = Phân tổ phải có ít nhất một mục.
indicator-invalid-code = Mã gồm chữ thường không dấu, chữ số và dấu _, và không trùng mã khác của chỉ tiêu.
indicator-unknown-operand = Công thức dùng { $operand }, mà ngày { $day } danh mục chưa có.
dependent-formula-on-form = Mẫu { $form } có chỉ tiêu này nhưng ngày { $day } không có { $operand } mà công thức dùng. Hãy thêm vào đề cương của mẫu trước.
dependent-formula = Công thức của chỉ tiêu { $by } dùng { $operand }, mà ngày { $day } sẽ không còn. Hãy giữ lại, hoặc đổi công thức đó trước.
indicator-taken-from-form = Mẫu { $form } đang lấy chỉ tiêu này từ mẫu { $from }, nơi chỉ tiêu được nhập, nên không đổi thành công thức được. Hãy sửa mẫu { $form } trước, hoặc lập chỉ tiêu mới.
dependent-rule = Quy tắc { $rule } của mẫu { $form } dùng { $operand }, mà ngày { $day } sẽ không còn. Hãy giữ lại, hoặc đổi quy tắc đó trước.
indicator-formula-too-large = Công thức dùng lại chính nó qua chỉ tiêu khác, lồng nhau quá { $deepest } lần, hoặc quá dài khi viết đầy đủ (trên { $largest } số hạng).
indicator-across-units = qua các đơn vị
indicator-across-time = qua thời gian
indicator-bound = giới hạn

## service/catalogue/holiday

holidays-not-found = Chưa nhập ngày nghỉ của năm { $year }. Trước khi người quản trị nhập, chỉ thứ Bảy và Chủ nhật là ngày nghỉ.
holidays-invalid = Ngày nghỉ có { $count } chỗ chưa đúng; chưa có gì được ghi.
holidays-invalid-year = Năm có bốn chữ số, từ 1900 đến 2199. Hãy viết như 2026.
holidays-outside-year = Ngày { $day } không thuộc năm { $year }. Hãy nhập ngày đó vào năm của nó.
holidays-day-twice = Ngày { $day } có hai lần. Hãy bỏ một.
holidays-not-a-saturday = Ngày { $day } không phải thứ Bảy. Chỉ thứ Bảy mới làm bù được: hãy bỏ ngày này, hoặc sửa lại.
holidays-worked-and-off = Ngày { $day } cũng có trong các ngày nghỉ. Hãy bỏ khỏi một trong hai danh sách.

## service/catalogue/level

level-invalid = Cấp này có { $count } chỗ chưa đúng; chưa có gì được ghi.
level-not-found = Không có cấp { $code }. Hãy chọn trong danh sách cấp (/v1/levels).
level-invalid-code = Mã cấp gồm tối đa 40 chữ thường không dấu, chữ số và dấu _, bắt đầu bằng chữ.
level-rank-out-of-range = Thứ bậc của cấp là số từ 0 (cả nước) đến 99; số nhỏ là cấp cao.
level-last-day-before-first = Ngày cuối không được trước ngày đầu.
level-rank-taken = Thứ bậc { $rank } đang là của cấp { $other }. Hãy chọn số khác.
level-rank-fixed = Thứ bậc của cấp này là { $rank } và không đổi được; hãy lập cấp mới.
level-units-outside = { $name } thuộc cấp { $level_named } { $days }, ngoài khoảng ngày đó. Hãy chọn khoảng ngày rộng hơn.

## service/feed/changes

changes-after-last = Mới có đến thay đổi số { $last }, chưa có số { $after }. Có thể dữ liệu đã được khôi phục về một trạng thái cũ hơn. Hãy đọc tiếp sau { $last }, hoặc đọc lại từ đầu.

## service/feed/receipt

receipt-missing = Không có biên nhận số { $number }, hoặc tài khoản này không được xem. Hãy kiểm tra lại số ghi trong câu trả lời khi gửi, hoặc tìm trong lịch sử của báo cáo.

## service/map/doubt

unit-name-looks-the-same = { $one } trông giống { $other } ngay bên cạnh. Hãy kiểm tra có phải cùng một đơn vị không.
unit-code-differs-by-zeros = Mã { $code } chỉ khác mã { $other_code } của { $name } ở số 0 đứng đầu, mà bảng tính hay làm mất. Hãy kiểm tra lại mã.

## service/map/draft

unit-unknown-level = Ngày { $day } không có cấp { $level }. Hãy dùng một trong các cấp: { $levels }.
unit-parent-stands-until = { $name } chỉ có đến ngày { $until }. Hãy chọn ngày cuối không muộn hơn.
unit-parent-stands-since = { $name } chỉ có từ ngày { $since }. Hãy chọn ngày bắt đầu từ ngày đó.
unit-code-taken = Mã { $code } là của { $name } từ ngày { $first_day }; chỉ khác ngày bắt đầu. Nếu là đơn vị đó thì đã có trong hệ thống; nếu không, hãy dùng mã khác.
unit-code-taken-differs = Mã { $code } đang là của { $name }. Khác ở: { $words }. Nếu là đơn vị đó, hãy đổi tên, loại, cấp trên bằng một văn bản sắp xếp (các bước rename, retype, move ở /v1/reorganisations); nếu không, hãy dùng mã khác.
unit-differs-name = tên (đang là { $was }, ghi là { $is })
unit-differs-kind = loại (đang là { $was }, ghi là { $is })
unit-differs-level = cấp (đang là { $was }, ghi là { $is })
unit-differs-parent = đơn vị cấp trên

## service/map/import

unit-list-code-twice = Mã { $code } có hai dòng trong danh sách. Hãy bỏ một dòng.
unit-parent-level-too-low = Đơn vị cấp trên mã { $name } trong danh sách ở cấp { $above }, không cao hơn cấp { $level }. Hãy sửa cấp, hoặc chọn đơn vị cấp cao hơn.
unit-parent-twin = Không có đơn vị cấp trên mã { $name }, nhưng có mã { $twin }. Bảng tính hay làm mất số 0 đứng đầu: hãy định dạng cột mã là văn bản rồi sửa lại.
unit-parent-unknown = Không có đơn vị cấp trên mã { $name }, cả trong danh sách lẫn trong hệ thống.
office-parent-unknown = Chưa có đơn vị cấp trên mã { $name }. Hãy nhập danh mục của cấp trên trước, hoặc nhập danh mục đầy đủ các cấp.
unit-parent-ended = Đơn vị cấp trên { $name } ({ $code }) chỉ có đến ngày { $to }; danh sách bắt đầu từ ngày { $day }. Hãy chọn đơn vị khác.
unit-parent-stands-from = Đơn vị cấp trên { $name } ({ $code }) chỉ có từ ngày { $from }; danh sách bắt đầu từ ngày { $day }. Hãy đặt valid_from từ ngày { $from }.

## service/map/office_list

office-list-empty = Danh mục không có dòng nào dưới dòng tiêu đề. Hãy tải lại.
office-list-wrong-columns = Dòng { $line } có ô nằm ngoài các cột có tiêu đề. Hãy tải lại danh mục, hoặc sửa dòng này.
office-code-digits = Cơ quan thống kê ghi mã { $level } bằng { $digits } chữ số, còn ở đây là { $code }. Bảng tính hay làm mất số 0 đứng đầu: hãy tải lại danh mục và gửi mà không mở ra lưu lại, hoặc định dạng cột mã là văn bản rồi ghi đủ số 0.
office-kind-unknown = Cả cột Cấp lẫn cột Tên không nói đơn vị là cấp huyện hay cấp xã. Hãy ghi vào cột Cấp một trong các loại: { $kinds }.
office-name-differs = Mã { $code } ở dòng { $line } có tên { $other }, còn ở đây là { $name }. Hãy sửa một trong hai dòng.
office-parent-differs = Đơn vị mã { $code } ở dòng { $line } thuộc đơn vị mã { $other }, còn ở đây thuộc { $parent }. Hãy sửa một trong hai dòng.

## service/map/mapping

mapping-invalid = Các bảng có { $count } dòng chưa đúng; chưa có gì được ghi.
mapping-missing-columns = Cần các cột { $columns }.
mapping-not-in-list = Mã mới { $code } không có trong danh sách đơn vị sau sắp xếp. Hãy thêm vào danh sách, hoặc sửa mã.
mapping-named-nowhere = Đơn vị { $name } (mã { $code }, cấp { $level }) đang hoạt động mà không có trong cả hai bảng. Hãy thêm vào một bảng; nếu đơn vị vẫn tiếp tục, có thể nhập với --keep-unlisted.
mapping-twice-in-list = Mã { $code } đã có ở dòng { $first }. Hãy bỏ một dòng.
mapping-ended-in-list = Bảng chuyển đổi cho đơn vị { $name } (mã { $code }) kết thúc, mà danh sách sau sắp xếp vẫn có. Hãy bỏ dòng này, hoặc sửa bảng chuyển đổi.
mapping-other-level-in-list = Đơn vị { $name } (mã { $code }) đang ở cấp { $level }, danh sách ghi cấp { $wanted }. Bảng không đổi được cấp: hãy sửa danh sách, hoặc viết văn bản JSON (xem --print).

## service/map/reorganisation

reorganisation-not-found = Không có lần sắp xếp { $id }. Hãy xem danh sách ở /v1/reorganisations.
reorganisation-undone = Lần sắp xếp này đã được hủy rồi.
reorganisation-invalid = Văn bản sắp xếp có { $count } chỗ chưa đúng; chưa có gì được ghi. Hãy sửa từng chỗ trong danh sách.

## service/map/unit

unit-malformed = Không đọc được danh sách. Dòng đầu phải là: code,name,level,parent_code[,kind], hoặc các cột của danh mục do cơ quan thống kê phát hành.
unit-invalid = Có { $count } chỗ chưa đúng; chưa có đơn vị nào được ghi. Hãy sửa từng chỗ trong danh sách.

## service/map/unit_list

unit-list-wrong-columns = Dòng { $line } không đúng các cột code,name,level,parent_code[,kind].
unit-list-empty = Danh sách không có dòng nào. Các cột ngăn cách bằng dấu phẩy, dấu chấm phẩy hoặc tab.

## service/map/reorganisation/preview

reorganisation-without-unit-above = Số liệu không chia được của { $count } đơn vị ({ $named }) sẽ không nằm trong tổng của đơn vị nào, vì các đơn vị kế thừa không có đơn vị cấp trên chung. Số liệu này vẫn xem được ở báo cáo của chính đơn vị đó và ở mục map.not_divided của các đơn vị kế thừa. Hãy ghi tỷ lệ chia (share), hoặc tạo một đơn vị cấp trên chung trước.

## service/map/reorganisation/undo

undo-later-reorganisation = Lần sắp xếp sau ({ $basis }, từ ngày { $day }) đã thay đổi cùng đơn vị. Hãy hủy lần đó trước.
undo-later-submission = { $name } đã nhập hoặc xử lý số liệu kỳ { $period } sau lần sắp xếp này, nên không hủy được nữa.
undo-later-target = { $name } đã được giao chỉ tiêu kỳ { $period } sau lần sắp xếp này, nên không hủy được nữa.
undo-later-release = { $name } đã gửi báo cáo kỳ { $period } lên cấp trên sau lần sắp xếp này, nên không hủy được nữa.
undo-subtree-reporting = { $name } được giao báo cáo gộp theo mẫu { $form }, mà đơn vị này chỉ có từ lần sắp xếp này. Hãy thôi báo cáo gộp trước.
undo-form-names = Mẫu { $form } thuộc về { $name } hoặc hỏi đơn vị này, mà đơn vị chỉ có từ lần sắp xếp này, nên không hủy được khi mẫu còn như vậy.
undo-extension = { $name } được gia hạn kỳ { $period }, mà đơn vị này chỉ có từ lần sắp xếp này. Hãy bỏ gia hạn trước.
undo-later-grant = Đã cấp quyền trên { $name } sau lần sắp xếp này. Hãy thu hồi quyền đó trước.
undo-orphan = { $name } sẽ không còn đơn vị cấp trên. Hãy chuyển đơn vị đó trước khi hủy.
undo-taken-code = Mã { $code } nay là của { $name }. Hãy đổi mã đơn vị đó trước khi hủy.
undo-ended-level = { $name } thuộc cấp { $level }, cấp này nay không còn. Hãy đặt lại cấp đó trước khi hủy.
undo-same-rank = Cấp { $one } và cấp { $other } sẽ trùng thứ bậc. Hãy sửa cấp mới trước khi hủy.

## service/people/account

account-invalid = Tài khoản chưa đúng; chưa có gì được ghi.
account-login-taken = Đã có tài khoản với tên đăng nhập { $login }. Nếu là chính người này, hãy sửa tài khoản đó; nếu không, hãy chọn tên đăng nhập khác.
account-not-found = Không có tài khoản này trong phạm vi của bạn.
account-unknown-login = Không có tài khoản nào có tên đăng nhập { $login }.
account-own = Đây là tài khoản của chính bạn. Hãy nhờ người quản lý ở đơn vị cấp trên hoặc người quản trị hệ thống.
account-disabled = Tài khoản này đang bị khóa. Hãy mở khóa trước.
account-telephone = Số điện thoại gồm chữ số, khoảng trắng và các dấu + - . / ( ), dài nhất 40 ký tự.

## service/people/api_key

key-not-found = Không có khóa này trong phạm vi quản lý của bạn, hoặc khóa đã bị xóa.
key-invalid = Thông tin khóa chưa đúng; chưa có gì được ghi.
key-two-of-the-name = Đơn vị này đang có hai khóa tên { $name } còn hiệu lực: khóa cũ và khóa thay thế. Hãy xóa bớt một khóa trước.
key-too-many = Đã có { $most } khóa, là số nhiều nhất cho phép. Hãy xóa những khóa không còn dùng.
key-unknown-unit = Hôm nay không có đơn vị { $unit }. Hãy ghi mã định danh, hoặc code: và mã đơn vị (ví dụ code:30388).
key-no-operation = Khóa phải được làm ít nhất một việc. Hãy ghi tên thao tác, ví dụ read hoặc get_rollup.
key-unknown-operation = Không có thao tác { $word }. Hãy ghi một operationId, hoặc read hay submit.
key-operation-of-people = Thao tác { $word } không dành cho khóa: chương trình không quản lý người dùng, khóa hay phiên đăng nhập, và việc mở cho mọi người thì không cần khóa.
key-operation-of-tenant = Thao tác { $operation } thuộc về cả hệ thống, còn khóa chỉ dành cho một đơn vị. Hãy bỏ thao tác này, hoặc nhờ người quản trị tạo khóa không gắn với đơn vị.
key-last-day-past = Ngày cuối cùng đã qua. Hãy chọn hôm nay hoặc một ngày sau đó.
key-last-day-late = Khóa có hiệu lực nhiều nhất hai năm. Hãy chọn ngày { $latest } hoặc sớm hơn.

## service/people/grant

grant-unknown-unit = Hôm nay không có đơn vị { $unit }. Hãy ghi mã định danh, hoặc code: và mã đơn vị (ví dụ code:30388).
grant-role-of-system = Vai trò { $role } là của cả hệ thống, không gắn với một đơn vị. Hãy bỏ phần đơn vị.
grant-role-needs-unit = Vai trò { $role } cần một đơn vị. Hãy ghi thêm, ví dụ { $code }@code:30388.
grant-over = Vai trò này đã hết hạn: ngày cuối đã qua. Hãy chọn hôm nay hoặc một ngày sau đó.
grant-too-many = Một tài khoản có nhiều nhất { $most } vai trò.
grant-twice = Vai trò { $role } được giao hai lần cho cùng một đơn vị trong cùng những ngày. Hãy bỏ bớt một dòng.

## service/people/hand_over

hand-over-past = Ngày bàn giao đã qua. Hãy chọn hôm nay hoặc một ngày sau đó.
hand-over-nothing = Từ ngày này tài khoản không còn vai trò nào để bàn giao. Hãy chọn ngày sớm hơn, hoặc giao vai trò cho một tài khoản mới.

## service/people/import

people-list-wrong-columns = Dòng { $line } không đúng các cột login,name,telephone,role,unit_code.
people-list-empty = Danh sách không có dòng nào. Các cột ngăn cách bằng dấu phẩy, dấu chấm phẩy hoặc tab.
people-list-too-long = Một danh sách có nhiều nhất { $most } dòng. Hãy chia thành nhiều danh sách.
people-list-role = Không có vai trò { $role }. Hãy ghi reporter, approver, viewer hoặc unit_admin.
people-list-two-names = Tên đăng nhập { $login } đã có ở dòng trên với họ tên hoặc số điện thoại khác. Hãy ghi giống nhau ở cả hai dòng, hoặc dùng tên đăng nhập khác.
people-list-unknown-unit = Hôm nay không có đơn vị nào mang mã { $code }. Hãy ghi mã của một đơn vị, đúng như trong danh sách đơn vị.
people-list-no-unit = Vai trò { $role } cần một đơn vị. Hãy ghi mã của đơn vị.

## service/people/invitation

invitation-unknown = Mã mời hoặc tổ chức không đúng, hoặc mã đã dùng hay đã hết hạn. Hãy kiểm tra lại mã và tổ chức. Nếu cả hai đều đúng, hãy xin mã mới từ người quản lý tài khoản của đơn vị.

## service/people/me

me-gone = Tài khoản này không còn. Hãy đăng nhập lại.
me-wrong-password = Mật khẩu hiện tại không đúng.

## service/people/operator

account-end-of-others = Tài khoản không có vai trò { $role } nên không thể kết thúc. Tài khoản đang có { $roles }.
account-end-of-none = Tài khoản không có vai trò { $role } nên không thể kết thúc. Tài khoản chưa có vai trò nào.

## service/people/program

program-key-unreadable = Đây không phải một khóa đầy đủ: có ký tự thiếu hoặc sai. Hãy chép lại toàn bộ khóa, từ thk_ đến hết.
program-key-not-serving = Khóa này không đúng, đã hết hạn hoặc đã bị xóa. Hãy xin khóa mới từ người quản lý tài khoản của đơn vị.
program-outside-key = Khóa này không được dùng cho { $operation }, chỉ được dùng cho { $operations }. Hãy xin người quản lý tài khoản của đơn vị một khóa được dùng cả cho { $operation }.
program-not-for-programs = Không khóa nào được dùng cho { $operation }: việc này dành cho con người. Hãy đăng nhập bằng tên và mật khẩu để làm.
program-wrong-key = client_id hoặc khóa không đúng, hoặc khóa đã hết hạn hay đã bị xóa.

## service/people/session

session-not-found = Bạn không có phiên làm việc này, hoặc nó đã kết thúc.

## service/people/credentials

credentials-wrong-login = Tên đăng nhập có ký tự không nhìn thấy được. Hãy gõ lại thay vì dán.
credentials-login-length = Tên đăng nhập có 1 đến 120 ký tự, không có dấu cách.
credentials-password-length = Mật khẩu có từ { $shortest } đến { $longest } ký tự.
credentials-password-common = Mật khẩu này nằm trong số những mật khẩu hay bị đoán. Hãy chọn mật khẩu khác, ví dụ vài từ không liên quan đến nhau.

## service/people/tenant

tenant-not-found = Không có hệ thống { $slug }. Lệnh `tonghop tenant list` liệt kê các hệ thống hiện có.
tenant-invalid = Thông tin hệ thống chưa đúng; chưa có gì được ghi.
tenant-invalid-slug = Tên ngắn có 2 đến 63 chữ thường không dấu, chữ số hoặc gạch nối, bắt đầu bằng chữ.
tenant-taken = Đã có hệ thống tên ngắn { $slug }. Hãy chọn tên ngắn khác.

## service/people/token

sign-in-tenant-required = Máy chủ có nhiều hệ thống. Hãy ghi thêm tên ngắn của hệ thống (tenant).
sign-in-wrong-refresh-token = Phiên đăng nhập đã hết hạn hoặc đã được gia hạn ở nơi khác. Hãy đăng nhập lại bằng mật khẩu. (refresh_token đã hết giá trị, đã hết hạn hoặc không đúng.)
sign-in-wrong-password = Tổ chức, tên đăng nhập hoặc mật khẩu không đúng. Hãy kiểm tra lại cả ba, kể cả phím Caps Lock.

## service/report/completeness

completeness-unknown-list = Tham số of nhận children, hoặc level: kèm mã của một cấp, ví dụ level:commune. Giá trị đã gửi là { $of }.

## service/report/release/error

release-not-open = Kỳ { $period } bắt đầu từ ngày { $from }. Hãy gửi báo cáo từ ngày đó.
release-waits = Bản báo cáo số { $number } đang chờ tiếp nhận. Hãy thu hồi bản đó rồi gửi bản khác.
release-missing = Đơn vị không có bản báo cáo số { $number } cho kỳ này. Hãy xem danh sách các bản đã gửi.
release-invalid = Chưa có gì được ghi vì còn { $count } điều phải xử lý. Hãy xem từng điều trong danh sách rồi làm lại.

## service/report/series

series-no-range = Từ { $from } đến { $to } không phải một dãy kỳ: hai kỳ phải cùng loại (như 2024-01 và 2024-12, hoặc hai kỳ riêng của mẫu), theo thứ tự, và không quá { $most } kỳ.

## service/report/table

report-table-unknown-rows = Tham số rows nhận children (các đơn vị trực thuộc), subtree (mọi đơn vị cấp dưới), hoặc level: kèm mã của một cấp, ví dụ level:commune. Giá trị đã gửi là { $rows }.
report-table-too-large = Bảng có { $rows } dòng và { $columns } cột, nhiều hơn { $most } số liệu. Hãy chọn ít chỉ tiêu hơn, một cấp đơn vị, hoặc một đơn vị nhỏ hơn.

## service/report/table/view

report-table-title = { $form } – { $period } – { $unit }
report-table-title-of-periods = { $form } – từ { $first } đến { $last } – { $unit }

## service/report/target

target-not-set = Đơn vị chưa được giao kế hoạch về { $figure } cho kỳ này.

## service/submission/error

submission-missing = Đơn vị chưa nhập số liệu cho kỳ này.
submission-does-not-submit = Cấp { $level } không gửi mẫu { $form }. Hãy chọn đơn vị thuộc cấp được giao gửi: { $submitting }. Cấp nào gửi là do người quản trị hệ thống quy định.
submission-not-asked = Mẫu { $form } không giao cho { $unit } nên không nhận số liệu của đơn vị này. Hãy chọn một đơn vị được giao, hoặc đề nghị người lập mẫu giao thêm.
submission-covered-by-unit = { $unit } báo cáo gộp cho mọi đơn vị cấp dưới, nên đơn vị này không gửi cho kỳ này. Hãy chuyển số liệu cho { $unit }; { $who } có thể thay đổi việc này.
submission-not-open = Chưa đến ngày nhập: kỳ { $period } mở nhập từ ngày { $opens }. Hãy nhập từ ngày đó; nếu cần sớm hơn, hãy đề nghị người quản trị hệ thống, là người đặt ngày mở của mẫu.
submission-four-eyes = Người nhập số liệu không được tự duyệt mẫu này. Hãy đề nghị { $who } duyệt: phải là người khác.
submission-named-twice = Mục { $first } (đếm từ 0) cũng là của báo cáo này. Hãy gộp hai mục thành một.
submission-busy = Hệ thống đang nhận quá nhiều số liệu cùng lúc. Chưa có gì được ghi; hãy gửi lại sau ít giây.
submission-invalid = Số liệu có { $count } chỗ chưa đúng; chưa có gì được ghi. Hãy sửa từng chỗ trong danh sách rồi gửi lại.
submission-closed = Đã hết hạn: hạn gửi là { $deadline } và mẫu này không nhận số liệu gửi muộn. Hãy đề nghị { $who } gia hạn.
submission-closed-to-giver = Đã hết hạn: hạn gửi là { $deadline } và mẫu này không nhận số liệu gửi muộn. Bạn có thể gia hạn cho đơn vị này, hoặc nếu bản giấy đã đến kịp hạn thì ghi ngày nhận (received_on).
deadline-day = ngày { $day }
deadline-instant = { $time } ngày { $day }

## service/submission/import

value-list-twice = Dòng { $first } đã có số liệu này. Hãy giữ lại một trong hai dòng.
value-list-stale = Số liệu của đơn vị này đã thay đổi sau khi lấy bảng nhập. Hãy lấy bảng nhập mới, xem số liệu hiện có rồi ghi lại.

## service/submission/import/csv

value-list-empty = Tệp không có số liệu nào. Hãy điền số liệu, dòng đầu ghi các tiêu đề unit,indicator,option,value,qualifier, rồi gửi lại.
value-list-missing-columns = Dòng tiêu đề thiếu: { $columns }. Hãy ghi các tiêu đề unit,indicator,option,value,qualifier vào dòng đầu.
value-list-unknown-columns = Danh sách không có cột { $columns }. Hãy sửa tiêu đề hoặc bỏ cột này; các cột có thể có là unit, indicator, option, value, qualifier.
value-list-no-unit = Dòng này chưa ghi đơn vị. Hãy ghi mã đơn vị.
value-list-no-indicator = Dòng này chưa ghi chỉ tiêu. Hãy ghi mã chỉ tiêu như trong đề cương của mẫu.
value-list-unit-unknown = Không có đơn vị { $name } vào ngày { $day }. Hãy xem lại mã trong danh sách đơn vị.
value-list-unit-twin = Không có đơn vị { $name }. Nếu muốn ghi { $twin } thì bảng tính đã bỏ mất số 0 ở đầu: hãy định dạng cột là văn bản rồi ghi { $twin }.
value-list-row-too-wide = Dòng này có ô nằm ngoài các cột của dòng tiêu đề: { $text }. Số có dấu phẩy phải đặt trong ngoặc kép ("93,64"), hoặc dùng dấu chấm phẩy ngăn cách các ô.
value-list-two-qualifiers = Ô giá trị và cột qualifier ghi hai mức độ khác nhau. Hãy bỏ một trong hai.
value-list-qualifier = Hãy ghi exact, at_least, at_most hoặc estimate, hoặc để trống ô này.

## service/submission/import/sheet

value-list-computed = kết quả công thức của bảng tính, như lần lưu gần nhất
value-list-not-computed = Ô của { $name } là công thức mà tệp không có kết quả. Hãy mở tệp bằng chương trình bảng tính, lưu lại rồi gửi lại; hoặc ghi con số.
value-list-long-number = Số trong ô của { $name } có nhiều chữ số hơn bảng tính giữ được. Hãy định dạng ô là văn bản rồi ghi lại số.
value-list-date = Ô của { $name } là ngày hoặc giờ ({ $text }). Hãy đổi định dạng ô thành số rồi ghi lại số.
value-list-no-number = Ô của { $name } là { $text }, không phải số. Hãy ghi con số.

## service/submission/together

together-refused = Có { $count } chỗ chưa đúng; chưa ghi số liệu của đơn vị nào. Hãy sửa từng chỗ trong danh sách rồi gửi lại tất cả.

## service/submission/extension

extension-not-given = Đơn vị chưa được gia hạn cho kỳ này.
extension-invalid = Gia hạn có { $count } chỗ chưa đúng; chưa có gì được ghi.
extension-without-deadline = Mẫu không đặt hạn gửi cho đơn vị cấp này nên không có gì để gia hạn.
extension-not-later = Hạn gửi vốn đã là { $deadline }. Gia hạn tính tròn ngày: hãy chọn một ngày sau đó.

## service/submission/sheet/error

sheet-nobody-asked = { $unit } và các đơn vị cấp dưới không phải nộp mẫu { $form }. Hãy chọn đơn vị khác hoặc mẫu khác.
sheet-too-many-rows = Bảng nhập của { $unit } có nhiều hơn { $most } dòng. Hãy lấy bảng nhập của từng đơn vị cấp dưới.

## service/submission/sheet/layout

sheet-column-unit-code = Mã đơn vị
sheet-column-unit = Đơn vị
sheet-column-figure-code = Mã số liệu
sheet-column-section = Mục
sheet-column-indicator = Chỉ tiêu
sheet-column-option = Phân tổ
sheet-column-unit-of-measure = Đơn vị tính
sheet-column-previous = Kỳ trước
sheet-column-value = Số liệu

## service/submission/sheet/read

sheet-fault-at-cell = Ô { $cell } (trang { $sheet }): { $sentence }
sheet-other-form = Bảng nhập này được lập cho mẫu { $made_for }, không phải mẫu { $form }. Hãy lấy bảng nhập của đúng mẫu rồi nhập lại.
sheet-other-period = Bảng nhập này được lập cho kỳ { $made_for }, không phải { $period }. Hãy lấy bảng nhập của đúng kỳ rồi nhập lại.
sheet-no-headings = Không trang tính nào có dòng tiêu đề với các cột { $columns }. Hãy lấy lại bảng nhập, hoặc ghi đúng tên các cột này.
sheet-column-missing = Dòng tiêu đề thiếu cột { $column }, hoặc tên cột đã bị sửa. Hãy ghi lại đúng tên cột.
sheet-unit-missing = Dòng này không có mã đơn vị. Hãy ghi mã đơn vị, hoặc xóa cả dòng.
sheet-unknown-unit = Không có đơn vị nào có mã { $text }. Hãy kiểm tra mã đơn vị.
sheet-zeros-lost = Không có đơn vị nào có mã { $text }, nhưng có mã { $code }: có thể các số 0 ở đầu đã mất. Nếu đúng là đơn vị đó, hãy đặt ô về kiểu chữ và ghi { $code }.
sheet-figure-missing = Dòng này có số liệu nhưng không có mã số liệu hay tên chỉ tiêu. Hãy ghi mã số liệu, hoặc xóa cả dòng.
sheet-unknown-figure = Mẫu { $form } không có số liệu { $text }. Hãy kiểm tra mã số liệu.
sheet-ambiguous-figure = Có nhiều chỉ tiêu tên { $text }. Hãy ghi mã số liệu vào cột mã.
sheet-twice = { $figure } của đơn vị này đã có ở ô { $first } (trang { $sheet }). Hãy bỏ một trong hai.
sheet-merged = Ô này bị gộp với ô khác, nên không biết số liệu là của dòng nào. Hãy bỏ gộp ô (Unmerge) rồi ghi số vào từng dòng.

## service/submission/sheet/write

sheet-name = Nhập liệu
sheet-title = { $form } – { $period } – { $unit }
sheet-how-to-fill = Chỉ ghi vào cột Số liệu (ô màu vàng). Có thể ghi trên 800, dưới 5, ước 93,64. Ô để trống thì giữ nguyên số đã có; ghi xóa để bỏ số đã nhập. Không sửa các cột mã.
sheet-column-previous-period = { $heading } ({ $period })
sheet-cell-whole = Ghi số nguyên, đơn vị tính: { $unit_of_measure }. Có thể ghi trên, dưới hoặc ước trước số.
sheet-cell-decimals = Ghi số có nhiều nhất { $places } chữ số thập phân, đơn vị tính: { $unit_of_measure }. Có thể ghi trên, dưới hoặc ước trước số.

## service/submission/subtree_reporting

subtree-reporting-not-arranged = Đơn vị chỉ báo cáo cho mình. Với mẫu này chưa có quy định để đơn vị báo cáo gộp cho cấp dưới.
subtree-reporting-invalid = Các kỳ có { $count } chỗ chưa đúng; chưa có gì được ghi.
subtree-reporting-backwards = Kỳ cuối kết thúc ngày { $last }, trước khi kỳ đầu bắt đầu ngày { $first }. Hãy chọn kỳ cuối muộn hơn, hoặc bỏ trống.
subtree-reporting-covered = { $above } đã báo cáo gộp cho mọi đơn vị cấp dưới trong một số ngày này, trong đó có đơn vị này. Hãy chọn kỳ khác, hoặc kết thúc việc đó trước.
subtree-reporting-covers = { $below } là đơn vị cấp dưới và đã báo cáo gộp trong một số ngày này. Hãy chọn kỳ khác, hoặc kết thúc việc đó trước.
subtree-reporting-already-reported = Chưa có gì thay đổi: kỳ { $period } đã có { $count } báo cáo được tính, trong đó có { $units }. Hãy trả lại hoặc rút các báo cáo đó, hoặc bắt đầu từ kỳ sau.
subtree-reporting-already-for-all = Chưa có gì thay đổi: kỳ { $period } đã tính báo cáo gộp của { $unit }. Hãy trả lại hoặc rút báo cáo đó trước, hoặc giữ kỳ này trong các kỳ báo cáo gộp.

## service/submission/step

submission-received-later = Ngày { $day } chưa đến: hôm nay là ngày { $today }. Hãy nhập ngày đã nhận bản giấy.
submission-received-before-opening = Ngày { $day } chưa nhận được gì: kỳ { $period } mở nhập từ ngày { $opens }. Hãy sửa ngày nhận.
submission-received-of-draft = Bản nháp chưa gửi nên chưa có ngày nhận. Hãy bỏ ngày nhận, và nhập khi gửi.

## service/submission/view

submission-empty = Đã nhận, nhưng không có giá trị nào: đơn vị được tính là đã gửi và mọi chỉ tiêu để trống. Nếu không phát sinh thì đánh dấu "không phát sinh" hoặc nhập 0; nếu gửi nhầm thì nhập số liệu rồi gửi lại.
submission-returned-unchanged = Số liệu vẫn như trước khi bị trả lại hoặc mở lại. Lý do khi đó: «{ $reason }». Nếu chưa sửa, hãy sửa rồi gửi lại; nếu số liệu đúng thì không cần làm gì thêm.
submission-period-running = Số liệu được gửi ngày { $sent }, khi kỳ báo cáo chưa kết thúc (hết ngày { $closes }). Nếu sau đó có thay đổi, hãy gửi lại.

## spreadsheet/fault

spreadsheet-unreadable = Tệp này không phải là bảng tính, hoặc đã bị hỏng. Hãy mở tệp bằng phần mềm bảng tính rồi lưu lại (Save As) thành .xlsx và gửi lại.
spreadsheet-old-or-locked = Tệp này có mật khẩu, hoặc là định dạng Excel cũ (.xls). Hãy bỏ mật khẩu, lưu lại (Save As) thành .xlsx rồi gửi lại.
spreadsheet-open-document = Tệp này là định dạng OpenDocument (.ods). Hãy lưu lại (Save As) thành .xlsx rồi gửi lại.
spreadsheet-encoding = Dòng { $line } không phải là mã UTF-8: tệp có thể được lưu bằng bảng mã Windows-1258 hoặc một bảng mã cũ, nên chữ tiếng Việt không đọc được chắc chắn. Hãy mở tệp, chọn Save As, kiểu “CSV UTF-8”, rồi gửi lại.
spreadsheet-too-large = Tệp này khi mở ra quá lớn. Hãy xóa các trang tính và các dòng không dùng đến, hoặc chia thành nhiều tệp, rồi gửi lại.
spreadsheet-cell-too-long = Tệp có một ô hoặc một dòng quá dài. Hãy kiểm tra dấu ngoặc kép và nội dung các ô, rồi gửi lại.
spreadsheet-too-many-cells = Một trang tính có nhiều hơn { $most } ô có nội dung. Hãy chia thành nhiều tệp rồi gửi lại.
spreadsheet-too-many-columns = Một dòng có nhiều hơn { $most } cột. Hãy xóa các cột không dùng đến rồi gửi lại.
spreadsheet-too-many-rows = Tệp có nhiều hơn { $most } dòng. Hãy xóa các dòng không dùng đến, hoặc chia thành nhiều tệp, rồi gửi lại.
spreadsheet-several-sheets = Hai trang tính { $first } và { $second } đều có nội dung, nên không biết danh sách ở trang nào. Hãy xóa hoặc ẩn trang không phải danh sách rồi gửi lại.
spreadsheet-merged = Có các ô bị gộp từ ô { $place }, nên không biết nội dung là của dòng nào. Hãy bỏ gộp ô (Unmerge), ghi nội dung vào từng dòng rồi gửi lại.
spreadsheet-no-value = Ô { $place } báo lỗi, hoặc có công thức chưa tính ra kết quả. Hãy ghi giá trị vào ô đó rồi gửi lại.

## store/error

store-unavailable = Hệ thống tạm thời chưa nhận được. Chưa có gì được ghi; hãy thử lại sau ít giây.
problem-too-many-requests = Đang có quá nhiều yêu cầu cùng lúc. Hãy thử lại sau ít giây.
read-too-long = Báo cáo này cần nhiều thời gian hơn mức cho phép. Hãy xem ít kỳ hơn, một đơn vị nhỏ hơn, hoặc không kèm các đơn vị trực thuộc.
storage-full = Máy chủ hết chỗ lưu trữ. Chưa có gì được ghi; hãy báo người quản trị và gửi lại sau.
store-outcome-unknown = Chưa rõ yêu cầu đã được ghi hay chưa. Hãy tải lại để xem, hoặc gửi lại y như cũ. Chương trình gửi lại với cùng Idempotency-Key.
store-tenant-gone = Hệ thống của tài khoản này không còn. Hãy đăng nhập lại.
store-signed-out = Tài khoản này đã bị khóa, hoặc phiên làm việc đã kết thúc. Hãy đăng nhập lại, hoặc hỏi người quản lý tài khoản của đơn vị.
