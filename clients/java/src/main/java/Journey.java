import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import tonghop.ApiClient;
import tonghop.ApiException;
import tonghop.ApiResponse;
import tonghop.api.CatalogueApi;
import tonghop.api.ReportsApi;
import tonghop.api.SignInApi;
import tonghop.api.SubmissionsApi;
import tonghop.api.SubmissionsApi.APIPutSubmissionRequest;
import tonghop.api.UnitsApi;
import tonghop.model.*;

/**
 * A program's way through the API with the generated client. `clients/README.md` tells it in words.
 *
 * <p>Exact numbers are strings: the client sends `Prefer: numbers=text`, and is made from the document for that.
 */
public final class Journey {
  private static final String FORM = "java.monthly";
  private static final String INDICATOR = "java.amount";
  private static final String PERIOD = "2025-09";
  // One more than 2^53, which no float can hold.
  private static final String LARGE = "9007199254740993";

  private final ApiClient client = new ApiClient();
  private final CatalogueApi catalogue;
  private final ReportsApi reports;
  private final SubmissionsApi submissions;
  private final UnitsApi units;

  public static void main(String[] arguments) throws ApiException, IOException {
    Journey journey = new Journey(arguments[0]);
    journey.addUnits();
    journey.addForm();
    journey.submit();
    journey.readLaterVersion();
    journey.readReports();
    journey.readProblem();
    journey.reorganise();
    System.out.println("java: the journey ends well");
  }

  private Journey(String address) throws ApiException {
    client.updateBaseUri(address);
    String token = signIn();
    client.setRequestInterceptor(
        request -> request.header("Authorization", "Bearer " + token).header("Prefer", "numbers=text"));
    catalogue = new CatalogueApi(client);
    reports = new ReportsApi(client);
    submissions = new SubmissionsApi(client);
    units = new UnitsApi(client);
  }

  private String signIn() throws ApiException {
    TokenView token =
        new SignInApi(client)
            .issueToken(
                SignInApi.APIIssueTokenRequest.newBuilder()
                    .grantType("password")
                    .username("admin@demo")
                    .password("tonghop-demo")
                    .build());
    return token.getAccessToken();
  }

  private void addUnits() throws ApiException {
    UnitBody commune =
        new UnitBody().code("JV").name("Xã Java").level("commune").kind("xã").parent("code:91");
    units.createUnit(UnitsApi.APICreateUnitRequest.newBuilder().unitBody(commune).build());
    String csv =
        "code,name,level,parent_code,kind\nJV-1,Ấp Một,hamlet,JV,ấp\nJV-2,Ấp Hai,hamlet,JV,ấp\n";
    ImportResult imported =
        units.importUnits(UnitsApi.APIImportUnitsRequest.newBuilder().body(csv).build());
    equal(2L, imported.getCreated());
    var page = units.listUnits(UnitsApi.APIListUnitsRequest.newBuilder().parent("code:JV").build());
    equal(List.of("JV-1", "JV-2"), page.getItems().stream().map(UnitView::getCode).toList());
    equal(null, page.getNext());
  }

  private void addForm() throws ApiException {
    IndicatorBody indicator =
        new IndicatorBody()
            .name(new NameBody().vi("Số tiền").en("Amount"))
            .unitOfMeasure("đồng")
            .decimals(2)
            .acrossUnits(AcrossUnits.SUM)
            .acrossTime(AcrossTime.SUM)
            .minimum("0");
    IndicatorView added =
        catalogue.putIndicator(
            CatalogueApi.APIPutIndicatorRequest.newBuilder()
                .indicator(INDICATOR)
                .indicatorBody(indicator)
                .build());
    equal("0", added.getMinimum());
    FormBody form =
        new FormBody()
            .name(new NameBody().vi("Báo cáo tháng").en("Monthly report"))
            .calendar(Calendar.STATUTORY)
            .frequency(Frequency.MONTH)
            .addSubmittedByItem("hamlet")
            .addOutlineItem(
                new SectionBody()
                    .number("I")
                    .title(new NameBody().vi("Số tiền"))
                    .addItemsItem(new ItemBody().indicator(INDICATOR)));
    FormView made =
        catalogue.putForm(CatalogueApi.APIPutFormRequest.newBuilder().form(FORM).formBody(form).build());
    equal(FORM, made.getCode());
  }

  private void submit() throws ApiException {
    var request = of("JV-1", amount("1")).ifNoneMatch("*").idempotencyKey("java-first").build();
    ApiResponse<SubmissionView> first = submissions.putSubmissionWithHttpInfo(request);
    equal(201, first.getStatusCode());
    equal("submitted", first.getData().getStatus());
    ApiResponse<SubmissionView> replay = submissions.putSubmissionWithHttpInfo(request);
    equal("true", header(replay, "idempotency-replayed"));
    equal(first.getData(), replay.getData());

    SubmissionBody correction = amount(LARGE);
    correction.getValues().get(0).qualifier(Qualifier.AT_LEAST);
    String etag = header(first, "etag");
    SubmissionView corrected = submissions.putSubmission(of("JV-1", correction).ifMatch(etag).build());
    equal(LARGE, corrected.getValues().get(0).getValue());
    refused(412, () -> submissions.putSubmission(of("JV-1", amount("2")).ifMatch(etag).build()));

    submissions.putSubmission(of("JV-2", amount("0.07")).ifNoneMatch("*").build());
  }

  private static SubmissionBody amount(String value) {
    return new SubmissionBody()
        .addValuesItem(new ValueBody().indicator(INDICATOR).value(value))
        .submit(true);
  }

  private static APIPutSubmissionRequest.Builder of(String unit, SubmissionBody body) {
    return APIPutSubmissionRequest.newBuilder()
        .form(FORM)
        .period(PERIOD)
        .unit("code:" + unit)
        .submissionBody(body);
  }

  /** Reads an answer of a later version: it has a status and a field that are not known today. */
  private void readLaterVersion() throws ApiException, IOException {
    SubmissionView today =
        submissions.getSubmission(
            SubmissionsApi.APIGetSubmissionRequest.newBuilder()
                .form(FORM)
                .period(PERIOD)
                .unit("code:JV-1")
                .build());
    ObjectMapper mapper = client.getObjectMapper();
    ObjectNode answer = mapper.valueToTree(today);
    answer.put("status", "sealed").put("sealed_on", "2031-01-01");
    SubmissionView later = mapper.treeToValue(answer, SubmissionView.class);
    equal("sealed", later.getStatus());
    equal(today.getValues(), later.getValues());
  }

  private void readReports() throws ApiException {
    var request =
        ReportsApi.APIGetRollupRequest.newBuilder().form(FORM).period(PERIOD).unit("code:JV");
    ApiResponse<RollupView> rollup = reports.getRollupWithHttpInfo(request.build());
    CellView cell = rollup.getData().getCells().get(0);
    equal(LARGE + ".07", cell.getValue());
    equal(Qualifier.AT_LEAST, cell.getQualifier());
    String etag = header(rollup, "etag");
    refused(304, () -> reports.getRollup(request.ifNoneMatch(etag).build()));

    CompletenessView completeness =
        reports.getCompleteness(
            ReportsApi.APIGetCompletenessRequest.newBuilder()
                .form(FORM)
                .period(PERIOD)
                .unit("code:JV")
                .build());
    equal(2L, completeness.getTotal().getSubmitted());
    equal(
        List.of("JV-1", "JV-2"),
        completeness.getChildren().stream().map(child -> child.getUnit().getCode()).toList());

    SeriesView series =
        reports.getSeries(
            ReportsApi.APIGetSeriesRequest.newBuilder()
                .form(FORM)
                .unit("code:JV")
                .indicator(INDICATOR)
                .from("2025-08")
                .to("2025-10")
                .build());
    equal(
        Arrays.asList(null, LARGE + ".07", null),
        series.getItems().stream().map(item -> item.getFigure().getValue()).toList());

    LineageView lineage =
        reports.getLineage(
            ReportsApi.APIGetLineageRequest.newBuilder()
                .form(FORM)
                .period(PERIOD)
                .unit("code:JV")
                .indicator(INDICATOR)
                .build());
    equal(
        List.of(LARGE, "0.07"),
        lineage.getItems().stream().map(source -> source.getValue().getValue()).toList());
  }

  private void readProblem() throws ApiException, IOException {
    var request = of("JV-1", amount("1.234")).period("2025-10").ifNoneMatch("*").build();
    ApiException refusal = refused(422, () -> submissions.putSubmission(request));
    ProblemBody problem =
        client.getObjectMapper().readValue(refusal.getResponseBody(), ProblemBody.class);
    equal("INVALID_SUBMISSION", problem.getCode());
    equal(
        List.of("/values/0/value"),
        problem.getErrors().stream().map(FaultBody::getPointer).toList());
  }

  private void reorganise() throws ApiException {
    UnitDocument merged =
        new UnitDocument().code("JV-1").name("Ấp Một Hai").level("hamlet").kind("ấp").parent("code:JV");
    MergeStep merge =
        new MergeStep()
            .op(MergeStep.OpEnum.MERGE)
            .from(List.of("code:JV-1", "code:JV-2"))
            .into(new SuccessorDocument(merged));
    RenameStep rename =
        new RenameStep().op(RenameStep.OpEnum.RENAME).unit("code:JV").name("Xã Java mới");
    ReorganisationDocument document =
        new ReorganisationDocument()
            .effective(LocalDate.of(2025, 12, 15))
            .legalBasis("Nghị quyết thử")
            .addStepsItem(new StepDocument(merge))
            .addStepsItem(new StepDocument(rename));
    ReorganisationPreview preview =
        units.previewReorganisation(
            UnitsApi.APIPreviewReorganisationRequest.newBuilder()
                .reorganisationDocument(document)
                .build());
    equal(true, preview.getPossible());
    ReorganisationView done =
        units.createReorganisation(
            UnitsApi.APICreateReorganisationRequest.newBuilder()
                .reorganisationDocument(document)
                .idempotencyKey("java-reform")
                .build());
    equal(LocalDate.of(2025, 12, 15), done.getEffective());

    ReorganisationDetail kept =
        units.getReorganisation(
            UnitsApi.APIGetReorganisationRequest.newBuilder().reorganisation(done.getId()).build());
    equal(merge, kept.getDocument().getSteps().get(0).getMergeStep());

    var page = units.listUnits(UnitsApi.APIListUnitsRequest.newBuilder().parent("code:JV").build());
    equal(List.of("Ấp Một Hai"), page.getItems().stream().map(UnitView::getName).toList());
  }

  /** A call that the server refuses. */
  private interface Refused {
    void send() throws ApiException;
  }

  /** Returns the refusal of a call. The generated client throws for every status but 2xx, 304 included. */
  private static ApiException refused(int status, Refused call) throws ApiException {
    try {
      call.send();
    } catch (ApiException refusal) {
      equal(status, refusal.getCode());
      return refusal;
    }
    throw new AssertionError("the answer should be " + status);
  }

  private static String header(ApiResponse<?> answer, String name) {
    return answer.getHeaders().get(name).get(0);
  }

  private static void equal(Object expected, Object found) {
    if (!Objects.equals(expected, found)) {
      throw new AssertionError("expected " + expected + ", found " + found);
    }
  }
}
