import type { RestCatalogConfig } from '../config/model.ts';
import { settingsInAnswer } from './rest-answer.ts';
import { answerFault } from './rest-fault.ts';
import { configRoute, type RestRoutes, restRoutes } from './rest-routes.ts';
import type { RestTransport } from './rest-transport.ts';
import { createNamespaceBody } from './rest-wire.ts';

/** What a catalogue knows of its server. */
export interface RestServer {
  /** The server's addresses, once it has told its settings. */
  settled(): Promise<{ routes: RestRoutes }>;
  /** Creates a namespace, and those above it where the server wants them first. One that is there is left as it is. */
  ensureNamespace(namespace: readonly string[]): Promise<void>;
}

/**
 * The server's settings are asked for once, by whoever needs them first; a failure is not kept.
 * @param known the prefix, where the server need not be asked
 */
export function restServer(config: Omit<RestCatalogConfig, 'type'>, send: RestTransport, known?: string): RestServer {
  const { uri, serverWarehouse, auth } = config;
  let settling: Promise<{ routes: RestRoutes }> | undefined;

  async function ask(): Promise<{ routes: RestRoutes }> {
    if (known !== undefined) return { routes: restRoutes(uri, { prefix: known }) };
    const what = 'read the settings of the catalogue';
    const answer = await send({ method: 'GET', url: configRoute(uri, serverWarehouse), what });
    if (answer.status !== 200) throw answerFault(answer, { what, server: uri, changes: false });
    const settings = settingsInAnswer(answer, `The catalogue server ${uri}, asked for its settings`);
    const isGlue = auth.kind === 'sigv4' && auth.service === 'glue';
    const prefix =
      settings.prefix ??
      // Glue's paths always name the catalogue (Glue developer guide, "Iceberg REST Catalog APIs").
      (isGlue && serverWarehouse !== undefined ? `catalogs/${encodeURIComponent(serverWarehouse)}` : '');
    return { routes: restRoutes(uri, { ...settings, prefix }) };
  }

  async function settled(): Promise<{ routes: RestRoutes }> {
    settling ??= ask().catch((error: unknown) => {
      settling = undefined;
      throw error;
    });
    return settling;
  }

  async function ensureNamespace(namespace: readonly string[]): Promise<void> {
    const { routes } = await settled();
    const what = `create the namespace ${namespace.join('.')}`;
    const request = { method: 'POST', url: routes.namespaces(), body: createNamespaceBody(namespace), what } as const;
    let answer = await send(request);
    if (answer.status === 404 && namespace.length > 1) {
      await ensureNamespace(namespace.slice(0, -1));
      answer = await send(request);
    }
    // 409: it is there, perhaps since just now.
    if (answer.status === 200 || answer.status === 409) return;
    throw answerFault(answer, { what, server: uri, changes: true });
  }

  return { settled, ensureNamespace };
}
