package dev.holdfast.http;

import dev.holdfast.cluster.Membership;
import io.helidon.http.Method;
import java.util.List;

/** {@code /v1/admin}: what operators look at and do. */
final class AdminRoutes {

  private AdminRoutes() {}

  static List<Route> all(Membership membership) {
    return List.of(
        Route.admin(
            Method.GET, "/v1/admin/cluster", Scope.CLUSTER, call -> cluster(call, membership)),
        Route.admin(
            Method.GET, "/v1/admin/metrics", Scope.CLUSTER, call -> metrics(call, membership)),
        Route.admin(
                Method.POST,
                "/v1/admin/cluster/nodes/{name}/drain",
                Scope.ADMIN,
                call -> drain(call, membership))
            .noted());
  }

  private static Response cluster(Call call, Membership membership) {
    call.refusePreconditions();
    call.refuseBody();
    return Response.json(200, WireJson.cluster(membership.nodes(), membership.takeovers()));
  }

  private static Response metrics(Call call, Membership membership) {
    call.refusePreconditions();
    call.refuseBody();
    return Response.json(200, WireJson.metrics(membership.figures()));
  }

  private static Response drain(Call call, Membership membership) {
    call.refusePreconditions();
    call.refuseBody();
    if (!membership.drain(call.parameter("name"))) {
      throw new Rejected(ProblemType.NO_SUCH_NODE, "No member of the cluster has this name.");
    }
    return Response.of(202);
  }
}
