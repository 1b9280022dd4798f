"""Pipelines and stages over the API: read, create, change, delete (contract section 11).

Promise: a stage that is deleted without a check leaves its records where they are, with a stage id that nobody knows.
"""

from __future__ import annotations

from typing import Any

from connectors.hubspot.sandbox import errors
from connectors.hubspot.sandbox.call import Call
from connectors.hubspot.sandbox.catalogue import LIFECYCLE
from connectors.hubspot.sandbox.errors import Rejection, error
from connectors.hubspot.sandbox.pipelines import Pipeline, Stage
from connectors.hubspot.sandbox.portal import Portal, Table
from connectors.hubspot.sandbox.schema import stage_stamps
from connectors.hubspot.sandbox.values import iso
from syncd.sandbox.chassis import Response

MAX_STAGES = 100

Json = dict[str, Any]


def route(call: Call, rest: list[str]) -> Response:
    """Everything under `/crm/pipelines/{V}/{type}`. The lifecycle of contacts and companies can be read only."""
    method = call.request.method
    table = call.table(rest[0], "read" if method == "GET" else "write", "objects" if method == "GET" else "schemas")
    match (method, rest[1:]):
        case ("GET", []):
            return Response(200, {"results": [one.to_json() for one in _all(table)]})
        case ("GET", [key]):
            return Response(200, _pipeline(table, key).to_json())
        case ("GET", [key, "stages"]):
            return Response(200, {"results": [one.to_json() for one in _pipeline(table, key).stages]})
        case ("GET", [key, "stages", stage]):
            return Response(200, _stage(_pipeline(table, key), stage).to_json())
        case ("POST", []):
            return Response(201, add_pipeline(call.portal, table, call.body()).to_json())
        case ("POST", [key, "stages"]):
            pipeline = _own(table, key)
            return Response(201, add_stage(call.portal, table, pipeline, call.body()).to_json())
        case ("PATCH" | "PUT", [key]):
            pipeline = _own(table, key)
            return Response(200, _change(call.portal, pipeline, call.body()).to_json())
        case ("PATCH" | "PUT", [key, "stages", stage_id]):
            found = _stage(_own(table, key), stage_id)
            return Response(200, _change_stage(call.portal, found, call.body()).to_json())
        case ("DELETE", [key]):
            pipeline = _own(table, key)
            _check_use(call, table, [one.id for one in pipeline.stages])
            table.pipelines.all.remove(pipeline)
            return Response(204)
        case ("DELETE", [key, "stages", stage_id]):
            pipeline = _own(table, key)
            found = _stage(pipeline, stage_id)
            _check_use(call, table, [found.id])
            pipeline.stages.remove(found)
            return Response(204)
    raise Rejection(405, error("HTTP 405 Method Not Allowed"))


def add_pipeline(portal: Portal, table: Table, given: Json) -> Pipeline:
    """A new pipeline with its stages. Rejection 400 without a label."""
    label = str(given.get("label") or "")
    if not label:
        raise errors.validation("A pipeline needs a label")
    stamp = iso(portal.clock.now_ms())
    pipelines = table.pipelines
    made = Pipeline(pipelines.new_id(), label, int(given.get("displayOrder") or 0), [], stamp, stamp)
    pipelines.all.append(made)
    for one in given.get("stages") or []:
        add_stage(portal, table, made, one)
    return made


def add_stage(portal: Portal, table: Table, pipeline: Pipeline, given: Json) -> Stage:
    """A new stage at the end. Rejection 400 without a label, or for a deal's stage without probability."""
    label, metadata = str(given.get("label") or ""), _metadata(given)
    if not label or (table.kind.name == "deals" and "probability" not in metadata):
        raise errors.validation("A stage needs a label, and a deal's stage a probability")
    if len(pipeline.stages) >= MAX_STAGES:
        raise errors.validation(f"At most {MAX_STAGES} stages are allowed in a pipeline")
    if table.kind.name == "deals":
        metadata.setdefault("isClosed", "true" if float(metadata["probability"]) in (0.0, 1.0) else "false")
    stamp = iso(portal.clock.now_ms())
    order = int(given.get("displayOrder") or len(pipeline.stages))
    made = Stage(table.pipelines.new_id(), label, metadata, order, stamp, stamp)
    pipeline.stages.append(made)
    table.definitions.update(stage_stamps(made.id))
    return made


def _all(table: Table) -> list[Pipeline]:
    """The object's pipelines; where its stage is the lifecycle, the one that the lifecycle is."""
    if table.kind.stage != "lifecyclestage":
        return table.pipelines.all
    stages = [Stage(value, label, {}, at) for at, (value, label) in enumerate(LIFECYCLE)]
    return [Pipeline(f"{table.kind.name}-lifecycle-pipeline", "Lifecycle Stage Pipeline", 0, stages)]


def _pipeline(table: Table, key: str) -> Pipeline:
    found = next((one for one in _all(table) if one.id == key), None)
    if found is None:
        raise errors.not_found()
    return found


def _own(table: Table, key: str) -> Pipeline:
    """A pipeline that may be changed."""
    found = table.pipelines.get(key)
    if found is None:
        raise errors.not_found()
    return found


def _stage(pipeline: Pipeline, key: str) -> Stage:
    found = next((one for one in pipeline.stages if one.id == key), None)
    if found is None:
        raise errors.not_found()
    return found


def _change(portal: Portal, pipeline: Pipeline, given: Json) -> Pipeline:
    pipeline.label = str(given.get("label") or pipeline.label)
    pipeline.order = int(given.get("displayOrder", pipeline.order))
    pipeline.updated = iso(portal.clock.now_ms())
    return pipeline


def _change_stage(portal: Portal, stage: Stage, given: Json) -> Stage:
    stage.label = str(given.get("label") or stage.label)
    stage.order = int(given.get("displayOrder", stage.order))
    stage.metadata.update(_metadata(given))
    stage.updated = iso(portal.clock.now_ms())
    return stage


def _metadata(given: Json) -> dict[str, str]:
    """Its values are texts, whatever was sent."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in (given.get("metadata") or {}).items()
    }


def _check_use(call: Call, table: Table, stage_ids: list[str]) -> None:
    """400 for stages that records are in, if the request asks to check."""
    if not (call.flag("validateReferencesBeforeDelete") or call.flag("validateDealStageUsagesBeforeDelete")):
        return
    used = {
        record.id: record.values[table.kind.stage]
        for record in table.records.values()
        if table.kind.stage and record.archived_ms is None and record.values.get(table.kind.stage) in stage_ids
    }
    if used:
        raise errors.validation(
            "Stages are being referenced by records and cannot be deleted",
            subCategory="PipelineError.STAGE_ID_IN_USE",
            context={"stageIds": sorted(set(used.values())), "objectIds": list(used)},
        )
