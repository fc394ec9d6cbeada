import { answerContent, content, type Answer } from './answer.ts';
import type { PageRequest } from './request-handler.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

export const tagsOf = ({ headers }: PageRequest) => ({
  ifNoneMatch: headers['if-none-match'],
  acceptEncoding: headers['accept-encoding']?.toString(),
});

export const json = (request: PageRequest, value: unknown): Answer =>
  answerContent(content(JSON_TYPE, JSON.stringify(value)), tagsOf(request));
